"""Qt in a distribution of its own: widgets drawn without a screen, plug-ins, image formats, SQL, network, threads."""

import os
import pathlib

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_LOGGING_RULES"] = "*.debug=false"

from PyQt6 import QtCore, QtGui, QtNetwork, QtSql, QtSvg, QtWidgets

application = QtWidgets.QApplication(["program"])
print(QtCore.qVersion() == QtCore.QT_VERSION_STR, application.platformName())
paths = QtCore.QLibraryInfo.path
plugins = pathlib.Path(paths(QtCore.QLibraryInfo.LibraryPath.PluginsPath))
print(plugins, plugins.is_dir(), sorted(path.name for path in (plugins / "platforms").glob("*offscreen*")))
print(os.path.isdir(paths(QtCore.QLibraryInfo.LibraryPath.TranslationsPath)))
translator = QtCore.QTranslator()
print(translator.load("qtbase_de", paths(QtCore.QLibraryInfo.LibraryPath.TranslationsPath)))
application.installTranslator(translator)
print(QtCore.QCoreApplication.translate("QPlatformTheme", "Cancel"))


class Window(QtWidgets.QWidget):
    pressed = QtCore.pyqtSignal(str)

    def __init__(self):
        super().__init__()
        self.button = QtWidgets.QPushButton("press", self)
        self.button.clicked.connect(lambda: self.pressed.emit("pressed"))


window = Window()
window.pressed.connect(print)
window.resize(60, 40)
window.show()
window.button.click()
picture = window.grab().toImage()
print(picture.width() >= 60, sorted(QtWidgets.QStyleFactory.keys()))
formats = sorted(bytes(name.data()).decode() for name in QtGui.QImageReader.supportedImageFormats())
print(formats)
square = QtGui.QImage(4, 4, QtGui.QImage.Format.Format_RGB32)
square.fill(QtGui.QColor("red"))
for suffix in ("png", "jpg", "webp"):
    print(suffix, square.save(f"square.{suffix}"), QtGui.QImage(f"square.{suffix}").pixelColor(1, 1).red() > 250)
drawing = QtSvg.QSvgRenderer(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><rect width="4"/></svg>')
print(drawing.isValid(), drawing.defaultSize())
database = QtSql.QSqlDatabase.addDatabase("QSQLITE")
database.setDatabaseName(":memory:")
print(database.open(), QtSql.QSqlDatabase.drivers().count("QSQLITE"))
query = QtSql.QSqlQuery("SELECT 6 * 7")
print(query.next(), query.value(0))
print(QtNetwork.QSslSocket.availableBackends(), QtNetwork.QHostAddress("127.0.0.1").isLoopback())
QtCore.QTimer.singleShot(0, application.quit)
print(application.exec())
