"""the ORM on SQLite, dialects loaded by name, Cython modules, pickled queries, events."""

import pickle

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import registry
from sqlalchemy.ext import serializer
from sqlalchemy.util import has_compiled_ext


class Base(orm.DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author")


class Book(Base):
    __tablename__ = "book"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("author.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


engine = sa.create_engine("sqlite://")
Base.metadata.create_all(engine)
with orm.Session(engine) as session:
    session.add(Author(name="Ann", books=[Book(title="B"), Book(title="A")]))
    session.commit()
    query = sa.select(Author).options(orm.selectinload(Author.books))
    author = session.scalars(query).one()
    print(author.name, sorted(book.title for book in author.books))
    print(
        pickle.loads(pickle.dumps(author)).name,
        len(pickle.loads(pickle.dumps(session.execute(sa.select(Book.id, Book.title)).all()))),
    )
    again = serializer.loads(serializer.dumps(sa.select(Book).order_by(Book.title)), Base.metadata, session)
    print([book.title for book in session.scalars(again)])
for name in ("postgresql", "mysql", "oracle", "mssql"):
    print(sa.select(Book.title).limit(3).compile(dialect=registry.load(name)()))
print(has_compiled_ext(), sa.inspect(engine).get_table_names())
try:
    sa.create_engine("nothing://")
except sa.exc.NoSuchModuleError as error:
    print(error)
