"""plug-ins by entry points, in each of its managers; its cache."""

from stevedore import DriverManager, EnabledExtensionManager, ExtensionManager, NamedExtensionManager

GROUP = "stevedore.example.formatter"
manager = ExtensionManager(GROUP, invoke_on_load=True, invoke_args=(30,))
print(
    sorted(manager.names()), sorted(manager.map(lambda extension, data: list(extension.obj.format(data)), {"a": "b"}))
)
driver = DriverManager(GROUP, "simple", invoke_on_load=True)
print(list(driver.driver.format({"key": "value"})), driver.driver.__class__.__module__)
print(NamedExtensionManager(GROUP, ["field", "plain"], name_order=True).names())
print(EnabledExtensionManager(GROUP, lambda extension: extension.name == "field").names())
try:
    DriverManager(GROUP, "nothing")
except RuntimeError as error:
    print(error)
