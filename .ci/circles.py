"""Finds circles of imports between the files of a crate: circles.py ROOT.rs...

Reads Rust as text, without the compiler: `use` in all its forms and paths inside code, relative ones
too, count as imports of the file where the name is defined. What a module re-exports of its children
counts as theirs. Not imports are `mod` lines, those re-exports, comments, and what is compiled for
tests only.
"""

import re
import sys
from pathlib import Path

TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/                                    # comments
      | b?r(\#*)".*?"\1 | b?"(?:\\.|[^"\\])*" | b?'(?:\\.[^']*|[^'\\])'  # literals
      | (?:r\#)?(\w+) | :: | \S""",
    re.S | re.X,
)
DEFINES = {"fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"}


def tokens(text):
    """Words, `::`, plain strings and single characters, without comments and other literals."""
    found = (m.group(2) or m.group(0) for m in TOKEN.finditer(text))
    return [t for t in found if not re.match(r"//|/\*|b?r#*\"|b[\"']|'.", t)]


def closing(code, at):
    """Where the bracket closes that opens at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] in "([{") - (code[i] in ")]}")
        if depth == 0:
            return i
    return len(code) - 1


def after_item(code, at):
    """Behind the item that begins at `at`."""
    while at < len(code) and code[at] not in ";{":
        at = closing(code, at) + 1 if code[at] in "([" else at + 1
    return closing(code, at) + 1 if at < len(code) and code[at] == "{" else at + 1


def use_tree(code, at, prefix=()):
    """The paths of the use tree at `at`, each with the name it has here, and where the tree ends."""
    path = prefix
    while at < len(code):
        if code[at] == "{":
            end, found, at = closing(code, at), [], at + 1
            while at < end:
                branch, at = use_tree(code, at, path)
                found += branch
                at += code[at] == ","
            return found, end + 1
        if code[at] != "::":
            path += (code[at],)
        at += 1
        if code[at - 1] != "::" and code[at : at + 1] != ["::"]:
            break
    if path[-1] == "self" and len(path) > 1:
        path = path[:-1]
    name = path[-1]
    if code[at : at + 1] == ["as"]:
        name, at = code[at + 1], at + 2
    return [(path, name)], at


class Module:
    """A module, of a file or inline in one."""

    def __init__(self, file, path):
        self.file, self.path = file, path
        self.defined = set()  # names of items
        self.imports = {}  # names by the paths that `use` gives them
        self.reexports = {}  # of those, the public ones
        self.globs = []  # paths of `use …::*`
        self.public_globs = []
        self.paths = []  # paths inside code
        self.words = set()


class Crate:
    """The modules of a crate, by path."""

    def __init__(self, root):
        self.modules = {}
        self.exported_macros = {}  # the modules that have them, by name
        self.read(Path(root), (), Path(root).parent)

    def read(self, file, path, folder):
        code = tokens(file.read_text())
        self.parse(code, 0, len(code), Module(file, path), folder)

    def parse(self, code, at, end, module, folder):
        """Reads the items of `module`, whose children's files are in `folder`."""
        self.modules[module.path] = module
        depth, public, exported, file = 0, False, False, None
        while at < end:
            token, after = code[at], code[at + 1 : at + 2]
            if token == "#" and after in (["["], ["!"]):
                bracket = at + 1 if after == ["["] else at + 2
                close = closing(code, bracket)
                at = close + 1
                attribute = code[bracket + 1 : close]
                exported |= attribute == ["macro_export"]
                if attribute[:2] == ["path", "="]:
                    file = module.file.parent / attribute[2].strip('"')
                if attribute == ["cfg", "(", "test", ")"]:
                    while code[at] == "#":
                        at = closing(code, at + 1) + 1
                    at = after_item(code, at)
                continue
            elif token == "pub":
                public = True
                at = closing(code, at + 1) + 1 if after == ["("] else at + 1
                continue
            elif token == "mod" and code[at + 2 : at + 3] in (["{"], [";"]):
                at = self.child(code, at, module, folder, file)
            elif token == "use" and after != ["<"]:
                found, at = use_tree(code, at + 1)
                self.use(module, found, public)
            elif re.match(r"\w", token):
                if token == "macro_rules" and exported:
                    self.exported_macros[code[at + 2]] = module.path
                at = self.word(code, at, module, depth)
            else:
                depth += (token in "([{") - (token in ")]}")
                at += 1
            public, exported, file = False, False, None

    def child(self, code, at, module, folder, file):
        name = code[at + 1]
        path = module.path + (name,)
        if code[at + 2] == "{":
            end = closing(code, at + 2)
            self.parse(code, at + 3, end, Module(module.file, path), folder / name)
            return end + 1
        files = [file] if file else [folder / f"{name}.rs", folder / name / "mod.rs"]
        files = [file for file in files if file.exists()]
        if not files:
            raise FileNotFoundError(f"{module.file}: where is the file of `mod {name}`?")
        # A file that another one names by its path is like a `mod.rs`.
        self.read(files[0], path, files[0].parent if file else folder / name)
        return at + 3

    def use(self, module, found, public):
        for path, name in found:
            if name == "*":
                module.globs.append(path[:-1])
                if public:
                    module.public_globs.append(path[:-1])
            else:
                module.imports[name] = path
                if public:
                    module.reexports[name] = path

    def word(self, code, at, module, depth):
        """A word in code: a definition, a path, or neither."""
        path = (code[at],)
        if depth == 0 and path[0] in DEFINES:
            behind = at + 1 + (code[at + 1] == "!")
            module.defined.add(code[behind])
        at += 1
        while code[at : at + 1] == ["::"] and re.match(r"\w", code[at + 1]):
            path += (code[at + 1],)
            at += 2
        module.words.update(path)
        if len(path) > 1:
            module.paths.append(path)
        return at

    def start(self, module, path, seen=()):
        """The module where `path` begins, if it is one of this crate, and the rest of the path."""
        base = module.path
        if path[0] == "crate":
            return (), path[1:]
        if path[0] in ("self", "super"):
            while path and path[0] in ("self", "super"):
                base = base[:-1] if path[0] == "super" else base
                path = path[1:]
            return base, path
        if base + path[:1] in self.modules:
            return base, path
        target = module.imports.get(path[0])
        if target and target not in seen and target[0] != path[0]:
            # By a name that was imported: what is behind it was said by `use`.
            begun = self.start(module, target, (*seen, target))
            return begun and (begun[0], begun[1] + path[1:])
        return None

    def home(self, module, path):
        """The module that has what `path` names, and the name; `None` if it is of another crate."""
        begun = self.start(module, path)
        if begun is None:
            return None
        at, rest = begun
        while rest:
            below = self.below(at, rest)
            if below is None:
                return at, rest[0]
            at, rest = below
        return at, "self"

    def below(self, at, path):
        """A step down `path`: to a child, or by what the module re-exports of its children."""
        name, module = path[0], self.modules[at]
        if at + (name,) in self.modules:
            return at + (name,), path[1:]
        for target in [module.reexports.get(name), *(g + (name,) for g in module.public_globs)]:
            begun = target and self.start(module, target)
            if not begun:
                continue
            base, rest = begun
            child = base + rest[:1]
            if len(child) > len(at) and child[: len(at)] == at and child in self.modules:
                if target is module.reexports.get(name) or self.has(child, rest[1:]):
                    return child, rest[1:] + path[1:]
        return None

    def has(self, at, path):
        """Whether the module at `at` has what `path` names."""
        while len(path) > 1:
            below = self.below(at, path)
            if below is None:
                return False
            at, path = below
        return not path or path[0] in self.modules[at].defined or self.below(at, path) is not None

    def exported(self, at):
        """The names that a glob import of the module at `at` brings from its children."""
        module = self.modules[at]
        names = set(module.reexports)
        for glob in module.public_globs:
            begun = self.start(module, glob)
            if begun and begun[0] + begun[1] in self.modules:
                child = begun[0] + begun[1]
                names |= self.modules[child].defined
                if child != at:
                    names |= self.exported(child)
        return names

    def imported(self, module):
        """What `module` refers to, as homes and names."""
        own = module.reexports.values()
        for path in module.paths:
            yield self.home(module, path)
        for path in [*module.imports.values(), *module.globs]:
            home = self.home(module, path)
            below = home and home[0][: len(module.path)] == module.path
            if not (below and (path in own or path in module.public_globs)):
                yield home
        for path in module.globs:
            home = self.home(module, path)
            if home and home[1] == "self":
                for name in self.exported(home[0]) & module.words:
                    yield self.home(module, (*path, name))

    def edges(self):
        """By file, the files that it imports, and by which names."""
        edges = {m.file: {} for m in self.modules.values()}
        for module in self.modules.values():
            for home in filter(None, self.imported(module)):
                at, name = home
                if at == () and name in self.exported_macros:
                    at = self.exported_macros[name]
                elif at == () and name not in self.modules[()].defined:
                    continue  # The crate as such, or what it has from another.
                to = self.modules[at].file
                if to != module.file:
                    edges[module.file].setdefault(to, set()).add(name)
        return edges


def circles(edges):
    """The sets of files that all lead to one another."""

    def reached(file):
        found, left = set(), [file]
        while left:
            new = edges[left.pop()].keys() - found
            found |= new
            left += new
        return found

    reach = {file: reached(file) for file in edges}
    return {frozenset(b for b in reach[a] if a in reach[b]) for a in edges if a in reach[a]}


def main(roots):
    """Prints the circles of each crate. True if there is none."""
    here, found, files = Path.cwd(), 0, 0
    name = lambda file: file.resolve().relative_to(here) if file.resolve().is_relative_to(here) else file
    for root in roots:
        edges = Crate(root).edges()
        files += len(edges)
        for circle in sorted(circles(edges), key=sorted):
            found += 1
            print(f"FAILED: a circle of {len(circle)} files in {name(Path(root))}")
            for a in sorted(circle):
                for b in sorted(edges[a].keys() & circle):
                    print(f"  {name(a)} -> {name(b)}: {', '.join(sorted(edges[a][b])[:5])}")
    print(f"{found} circles in {files} files of {len(roots)} crates")
    return found == 0 and files > 0


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
