"""libpq in the binary package: composed SQL, adapted values, connection strings, an unreachable server."""
# /// script
# dependencies = ["psycopg[binary]"]
# ///

import datetime
import uuid

import psycopg
from psycopg import pq, sql
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.json import Jsonb

print(pq.__impl__)
query = sql.SQL("select {} from {} where n = {}").format(
    sql.SQL(", ").join(map(sql.Identifier, ("a", 'b"c'))), sql.Identifier("s", "t"), sql.Literal("it's")
)
print(query.as_string(None))
transformer = Transformer()
for value in (5, 1.5, "x", b"\x00", None, True, datetime.date(2024, 2, 29), uuid.UUID(int=1), [1, 2], Jsonb({"a": 1})):
    if value is not None:
        dumper = transformer.get_dumper(value, PyFormat.TEXT)
        print(type(dumper).__name__, bytes(dumper.dump(value)), bytes(dumper.quote(value)))
print(transformer.get_loader(20, pq.Format.TEXT).load(b"17"), psycopg.adapters.types["jsonb"].oid)
print(psycopg.conninfo.make_conninfo("host=a dbname=b", user="it's"))
print(sorted(psycopg.conninfo.conninfo_to_dict("postgresql://u@h:1/d?sslmode=require").items()))
try:
    psycopg.connect("host=127.0.0.1 port=1 user=nobody dbname=nothing", connect_timeout=2)
except psycopg.OperationalError as error:
    print(str(error).splitlines()[0])
print(psycopg.errors.lookup("23505").__name__)
