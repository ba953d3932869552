from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shop.core import printing


def test_many_papers_at_once(tmp_path: Path):
    template = tmp_path / "paper.typ"
    template.write_text("#let it = json(bytes(sys.inputs.it))\n#for line in it.lines [#line #parbreak()]\n")

    def make(number):
        return printing.pdf(template, {"lines": [f"第 {number} 页"] * 200})

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(24)))
    assert all(each.startswith(b"%PDF-") for each in made)
