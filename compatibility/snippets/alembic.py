"""a migration project made from the templates in the package, revisions, upgrades, its command line."""

import pathlib
import subprocess
import sys

import sqlalchemy as sa


def alembic(*arguments):
    result = subprocess.run([sys.executable, "-m", "alembic", *arguments], capture_output=True, text=True)
    print(arguments[0], result.returncode, result.stdout, result.stderr)


alembic("list_templates")
alembic("init", "migrations")
print(sorted(path.name for path in pathlib.Path("migrations").iterdir()))
ini = pathlib.Path("alembic.ini")
ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", "sqlite:///data.db"))
alembic("revision", "--rev-id", "abc1", "-m", "first")
path = pathlib.Path("migrations/versions/abc1_first.py")
path.write_text(path.read_text().replace("    pass", "    op.create_table('t', sa.Column('id', sa.Integer))", 1))
alembic("upgrade", "head")
alembic("history")
print(sa.inspect(sa.create_engine("sqlite:///data.db")).get_table_names())
alembic("upgrade", "head", "--sql")
