"""Tests of circles.py: small crates with a circle that it must see, and without one."""

import tempfile
import unittest
from pathlib import Path

from circles import Crate, circles

MODS = "mod a; mod b;"


def found(files):
    """The circles of a crate of these files, as sets of file names. `b.rs` defines `B` and `g`."""
    files = {"b.rs": "", "lib.rs": MODS} | files
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + ("\npub struct B; pub fn g() {}" if name == "b.rs" else ""))
        edges = Crate(Path(folder, "lib.rs")).edges()
        return [{file.relative_to(folder).as_posix() for file in circle} for circle in circles(edges)]


class Seen(unittest.TestCase):
    """`b.rs` uses `a.rs`: each text of `a.rs` closes the circle."""

    def test_every_way_to_name_it(self):
        for text in [
            "use crate::b::B;",
            "use super::b::B;",
            "use {crate::b};",
            "use crate::{c::C, b::{self, B as C}};",
            "use crate::b::*;",
            "use crate::b as d;",
            "fn f() { crate::b::g() }",
            "fn f(x: super::b::B) {}",
            "fn f() { use super::b; b::g() }",
            "impl Into<crate::b::B> for A {}",
            "macro_rules! m { () => { $crate::b::g() } }",
            "mod inner { use super::super::b::B; }",
            "#[cfg(feature = \"c\")] use crate::b::B;",
            "#[cfg(test)] mod tests { use super::*; } use crate::b::B;",
            "#[cfg(test)] use std::fmt; use crate::b::B;",
            "const C: [&str; 2] = [\"\\\"\", r#\"\"#]; use crate::b::B;",
            "const C: char = '\"'; fn f<'a>(x: &'a str) { crate::b::g() }",
            "pub use crate::b::B;",
        ]:
            with self.subTest(text):
                files = {"a.rs": text + " pub struct A;", "b.rs": "use crate::a::A;"}
                self.assertEqual(found(files), [{"a.rs", "b.rs"}])

    def test_a_circle_of_three(self):
        files = {
            "lib.rs": MODS + "mod c; mod d;",
            "a.rs": "use crate::b::B; use crate::d;",
            "b.rs": "use crate::c::C;",
            "c.rs": "use crate::a; pub struct C;",
            "d.rs": "use crate::a;",
        }
        self.assertEqual(found(files), [{"a.rs", "b.rs", "c.rs", "d.rs"}])
        files["d.rs"] = ""
        self.assertEqual(found(files), [{"a.rs", "b.rs", "c.rs"}])

    def test_through_what_the_root_reexports(self):
        for reexport, use in [
            ("pub use b::B;", "use crate::B;"),
            ("pub use b::B as X;", "use crate::X;"),
            ("pub(crate) use crate::b::{self as x};", "use crate::x::B;"),
            ("pub use b::*;", "use crate::B;"),
            ("pub use b::*;", "use crate::*; fn f(x: B) {}"),
            ("pub use self::b::B;", "use super::*; fn f(x: B) {}"),
        ]:
            with self.subTest(reexport + use):
                files = {"lib.rs": MODS + reexport, "a.rs": use, "b.rs": "use crate::a;"}
                self.assertEqual(found(files), [{"a.rs", "b.rs"}])

    def test_through_what_a_folder_reexports(self):
        files = {
            "a/mod.rs": "mod deep; pub use deep::Deep;",
            "a/deep.rs": "use crate::b::B; pub struct Deep;",
            "b.rs": "use crate::a::Deep;",
        }
        self.assertEqual(found(files), [{"a/deep.rs", "b.rs"}])

    def test_parent_and_child(self):
        for use in ["use super::A;", "use super::*;", "fn f() -> super::A {}", "use crate::a::A;"]:
            for call in ["use child::C;", "use self::child::C;", "fn f() { child::g() }"]:
                with self.subTest(use + call):
                    files = {"a.rs": "mod child; pub struct A; " + call, "a/child.rs": use}
                    self.assertEqual(found(files), [{"a.rs", "a/child.rs"}])

    def test_the_root_itself(self):
        files = {"lib.rs": MODS + "pub struct Root; fn f() { a::g() }", "a.rs": "use crate::Root;"}
        self.assertEqual(found(files), [{"lib.rs", "a.rs"}])

    def test_macros_that_are_exported(self):
        a = "#[macro_export] macro_rules! m { () => {} } use crate::b::B;"
        self.assertEqual(found({"a.rs": a, "b.rs": "crate::m!();"}), [{"a.rs", "b.rs"}])

    def test_by_a_module_that_was_imported(self):
        files = {
            "a/mod.rs": "pub mod deep;",
            "a/deep.rs": "use crate::b::B;",
            "b.rs": "use crate::a; fn f() { a::deep::g() }",
        }
        self.assertEqual(found(files), [{"a/deep.rs", "b.rs"}])

    def test_a_file_by_its_path(self):
        files = {"lib.rs": "mod b; #[path = \"x/y.rs\"] mod a;", "b.rs": "use crate::a;", "x/y.rs": "use crate::b;"}
        self.assertEqual(found(files), [{"b.rs", "x/y.rs"}])


class NotSeen(unittest.TestCase):
    """`b.rs` uses `a.rs`, and `a.rs` does not use `b.rs`."""

    def test_what_is_no_import(self):
        for text in [
            "",
            "// use crate::b::B;",
            "/// [`B`](crate::b::B)\nfn f() {}",
            "/* use crate::b::B; */",
            "const C: &str = \"crate::b::B\";",
            "const C: &str = r#\"crate::b::\"B\"#;",
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "#[cfg(test)] use crate::b::B;",
            "#[cfg(test)] #[allow(unused)] fn f() { crate::b::g() }",
            "use b::B;",
            "use ::b::B;",
            "use std::b::B;",
            "fn f() { self::g(); Self::b(); d::b::g() } fn g() {}",
        ]:
            with self.subTest(text):
                self.assertEqual(found({"a.rs": text, "b.rs": "use crate::a;"}), [])

    def test_a_parent_that_reexports_its_child(self):
        files = {"a.rs": "mod child; pub use child::C; pub struct A;", "a/child.rs": "use super::A;"}
        self.assertEqual(found(files), [])

    def test_a_file_that_is_not_there(self):
        with self.assertRaises(FileNotFoundError):
            found({})


if __name__ == "__main__":
    unittest.main()
