"""an app with templates and static files, its command line, version lookup by metadata, sessions, error pages."""
# /// script
# dependencies = ["flask"]
# [tool.compatibility]
# subset = true
# ///

import importlib.metadata
import pathlib
import subprocess
import sys

pathlib.Path("shop/templates").mkdir(parents=True)
pathlib.Path("shop/static").mkdir()
pathlib.Path("shop/static/style.css").write_text("p {}")
pathlib.Path("shop/templates/page.html").write_text("<p>{{ name }} {{ url_for('static', filename='style.css') }}</p>")
pathlib.Path("shop/__init__.py").write_text(
    "import flask\n"
    "def create_app():\n"
    "    app = flask.Flask(__name__)\n"
    "    app.secret_key = 'x'\n"
    "    @app.get('/<name>')\n"
    "    def page(name):\n"
    "        flask.session['n'] = flask.session.get('n', 0) + 1\n"
    "        flask.flash('seen')\n"
    "        return flask.render_template('page.html', name=name)\n"
    "    @app.get('/fail')\n"
    "    def fail():\n"
    "        return 1 / 0\n"
    "    return app\n"
)
sys.path.insert(0, "")
import flask
from shop import create_app

app = create_app()
client = app.test_client()
for url in ("/bolt", "/static/style.css", "/no/such", "/fail"):
    app.logger.disabled = True
    response = client.get(url)
    print(url, response.status_code, response.text.splitlines()[0])
print(flask.json.dumps({"b": 1, "a": 2}), app.url_map.bind("h").match("/x"))
for arguments in (("routes",), ("--help",)):
    command = [sys.executable, "-m", "flask", "--app", "shop", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    print(result.returncode, result.stdout, result.stderr)
result = subprocess.run([sys.executable, "-m", "flask", "--version"], stdout=-1, text=True)
print(importlib.metadata.version("flask") in result.stdout)
