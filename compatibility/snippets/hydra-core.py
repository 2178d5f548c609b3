"""configuration files that are found in packages, its own among them; an application and its command line."""

import pathlib
import subprocess
import sys

import hydra
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra_application.main import main
from omegaconf import OmegaConf

with hydra.initialize_config_module("hydra_application.conf", version_base=None):
    print(OmegaConf.to_yaml(hydra.compose("config", ["database=mysql", "+database.user=me"]), resolve=True))
    print(sorted(hydra.compose("config", return_hydra_config=True).hydra.help))
    try:
        hydra.compose("config", ["database=oracle"])
    except hydra.errors.MissingConfigException as error:
        print(str(error).splitlines()[0], "mysql" in str(error))
print(sorted(each.__name__ for each in Plugins.instance().discover(Launcher)))
sys.argv = ["application", "hydra.job.chdir=False", "database=mysql", "hydra.run.dir=run"]
main()
print(sorted(path.name for path in pathlib.Path("run").rglob("*")))
# As its console script would do it; by -m hydra looks for the files beside the application's module instead.
script = "from hydra_application.main import main; main()"
quiet = ["hydra/job_logging=disabled", "hydra/hydra_logging=disabled"]
for arguments in (["--help"], ["--cfg", "job"], ["--info", "defaults-tree"], ["-m", "database=mysql,sqlite", *quiet]):
    result = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    print(arguments, result.returncode, result.stdout, result.stderr)
command = [sys.executable, "-m", "hydra_application.main", "--cfg", "job"]
print("by -m:", subprocess.run(command, stdout=-1, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()[:1])
