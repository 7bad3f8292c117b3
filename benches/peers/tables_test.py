"""Tests of what is printed: python3 benches/peers/tables_test.py."""

import unittest

from tables import FIRST, TABLES, cells, digits, factor, markdown, with_section

ROW = {"op": "relu", "size": 4096, "seconds": {"halfwave": 2e-7, "PyTorch": 4e-7, "rten": 1e-7, "memcpy": 5e-8}, "marks": {}}


class Tables(unittest.TestCase):
    def test_a_factor_is_over_the_best_peer_and_a_limit_is_none(self):
        self.assertEqual(factor(ROW), 0.5)
        alone = {**ROW, "seconds": {"halfwave": 1e-7, "memcpy": 1e-8}}
        self.assertIsNone(factor(alone))

    def test_below_the_bar_is_bold_and_what_a_peer_lacks_is_empty(self):
        shown = cells(TABLES["rectifiers"], ROW, ["PyTorch", "NumPy", "rten"])
        self.assertEqual(shown, ["20.5", "10.2", "", "41.0", "**0.50**"])

    def test_peers_without_a_row_have_no_column(self):
        head = markdown(TABLES["rectifiers"], [ROW]).splitlines()[0]
        self.assertEqual(head, "| 4,096 elements | halfwave | PyTorch | rten | memcpy | × the best |")

    def test_small_calls_stand_side_by_side(self):
        row = {"op": "tanh", "seconds": {"halfwave": 5e-9, "rten": 1e-8}, "marks": {}}
        text = markdown(TABLES["small"], [{**row, "size": 8}, {**row, "size": 64}])
        self.assertIn("| tanh | 5.00 | 10.0 | 2.00 | 5.00 | 10.0 | 2.00 |", text)

    def test_digits(self):
        self.assertEqual([digits(x) for x in [0.05678, 1.0, 12.345, 2345.6]], ["0.0568", "1.00", "12.3", "2346"])

    def test_a_section_replaces_its_own_and_leaves_the_others(self):
        document = f"# Title\n{FIRST}\n\n## By hand\n"
        document = with_section(document, "CPU A", "## A, old\n")
        document = with_section(document, "CPU B (x)", "## B\n")
        document = with_section(document, "CPU A", "## A, new\n")
        headings = [line for line in document.splitlines() if line.startswith("#")]
        self.assertEqual(headings, ["# Title", "## A, new", "## B", "## By hand"])
        self.assertEqual(with_section(document, "CPU A", "## A, new\n"), document)
        with self.assertRaisesRegex(ValueError, "says where"):
            with_section("# Title\n", "CPU A", "")


if __name__ == "__main__":
    unittest.main()
