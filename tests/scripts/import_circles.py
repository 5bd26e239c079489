#!/usr/bin/env python3
"""Fails if modules of a crate import each other in a circle, and names it.

    import_circles.py [CRATE_DIR…]     without arguments: every crate of the repository

A module is a file. It uses the modules whose items it names, in `use` or in a path that starts with a lower-case word. A
re-export leads to the module that defines the item and is no use by itself. Comments, strings, tests and generated code are skipped.
"""
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

# Uses that may close a circle, as {("crate::user", "crate::used"): reason}. ARCHITECTURE.md names each.
ALLOWED = {}
SKIPPED = re.compile(r"""//[^\n]*|'"'|r#".*?"#|"(?:\\.|[^"\\])*\"""", re.S)


def expand(tree):
    """The paths of a use tree: `a::{b, c::{d, e}}` is a::b, a::c::d and a::c::e."""
    head, brace, rest = tree.strip().partition("{")
    if not brace:
        return [re.sub(r"\s", "", head.split(" as ")[0])] if head else []
    parts, depth = [""], 0
    for char in rest.rstrip()[:-1]:
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [path for part in parts if part.strip() for path in expand(head + part.strip())]


def modules(crate):
    """Source by module path. The crate's root is the empty path."""
    found = {}
    for file in sorted((crate / "src").rglob("*.rs")):
        *folders, stem = file.relative_to(crate / "src").with_suffix("").parts
        path = tuple(folders) if stem in ("mod", "lib", "main") else (*folders, stem)
        if not {"gen", "tests"} & {*path} and (stem != "main" or () not in found):
            found[path] = SKIPPED.sub("", file.read_text()).split("#[cfg(test)]\nmod tests {")[0]
    return found


def uses(sources):
    """The other modules that each module uses."""
    named, exported = {}, {}
    for module, text in sources.items():
        body = re.sub(r"\buse [^;]+;", "", text)
        named[module], exported[module] = re.findall(r"(?<![\w:$])[a-z_]\w*(?:::\w+)+", body), {}
        for export, tree in re.findall(r"\b(pub(?:\([^)]*\))? )?use ([^;]+);", text):
            for path in expand(tree):
                if export:
                    exported[module][path.split("::")[-1]] = path
                else:
                    named[module].append(path)

    def definer(at, path):
        """The module that defines what `path` names in module `at`; None if that is another crate's."""
        first, *rest = path.split("::")
        if first not in ("crate", "self", "super") and (*at, first) not in sources:
            return None
        for part in (first, *rest):
            if part in ("crate", "self", "super"):
                at = {"crate": (), "self": at, "super": at[:-1]}[part]
            elif (*at, part) in sources:
                at = (*at, part)
            elif part in exported[at]:
                return definer(at, exported[at][part])
            else:
                break
        return at

    return {module: {definer(module, path) for path in paths} - {None, module} for module, paths in named.items()}


def main():
    root = Path(__file__).resolve().parents[2]
    given = [Path(folder) for folder in sys.argv[1:]]
    all_crates = (crate for pattern in ("proto", "tests", "services/*", "services/lib/*") for crate in root.glob(pattern))
    failed = False
    for crate in given or sorted(crate for crate in all_crates if (crate / "src").is_dir()):
        name = lambda module: "::".join((crate.name, *module))
        graph = {user: {used for used in all_used if (name(user), name(used)) not in ALLOWED}
                 for user, all_used in uses(modules(crate)).items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            failed = True
            print(f"{crate.name}: modules import each other:", " used by ".join(map(name, error.args[1])))
    sys.exit(failed)


main()
