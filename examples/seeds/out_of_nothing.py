"""Make modules out of nothing: from a dict, and from a mapping that writes each module when it is asked for.

python out_of_nothing.py
"""

from collections.abc import Iterator, Mapping

import bundleimp

with bundleimp.mount({"greeting.py": 'TEXT = "hello"\n'}):
    import greeting

    print(greeting.TEXT, greeting.__spec__.origin)


class Times(Mapping[str, str]):
    """Modules that multiply: ``times.n7`` by 7.  The names are listed once, the text is written at each import."""

    def __getitem__(self, name: str) -> str:
        return f"def times(x):\n    return {name[7:-3]} * x\n"

    def __iter__(self) -> Iterator[str]:
        return (f"times/n{number}.py" for number in range(10))

    def __len__(self) -> int:
        return 10


with bundleimp.mount(Times()):
    import times.n7

    print(times.n7.times(6))
