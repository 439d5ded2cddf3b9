"""Runs the cells of notebooks as Jupyter would, without a Jupyter: what a cell ends with is shown.

    python run_notebooks.py RESULTS NOTEBOOK ...

Leaves with the first cell that fails.
"""

import ast
import json
import os
import sys
from pathlib import Path


def run(notebook: Path) -> None:
    names = {"__name__": "__main__"}
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        tree = ast.parse("".join(cell["source"]), f"{notebook.name}, cell {number}")
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"{notebook.name}, cell {number}", "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), f"{notebook.name}, cell {number}", "eval"), names)
            assert str(shown), f"{notebook.name}, cell {number} shows nothing"
    print(f"{notebook.name}: {len(cells)} cells")


if __name__ == "__main__":
    os.environ["URBIS_RESULTS"] = sys.argv[1]
    os.environ["MPLBACKEND"] = "agg"
    for path in sys.argv[2:]:
        run(Path(path))
