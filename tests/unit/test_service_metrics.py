"""Figures in the text format of Prometheus, read back by Prometheus's own parser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from orange.core.service.metrics import Family, render


def test_the_format_is_exact() -> None:
    """A heading for each name, whatever family it comes from; whole numbers are written as such."""
    first = Family("a_total", "counter", "Things\nof \\ a kind.", (({"project": 'say "hi"\\\n'}, 3.0),))
    more = Family("a_total", "counter", "Things\nof \\ a kind.", (({"project": "b"}, 0.25),))
    alone = Family("b", "gauge", "One.", (({}, True),))
    assert render([first, alone, more]) == (
        "# HELP a_total Things\\nof \\\\ a kind.\n"
        "# TYPE a_total counter\n"
        'a_total{project="say \\"hi\\"\\\\\\n"} 3\n'
        'a_total{project="b"} 0.25\n'
        "# HELP b One.\n"
        "# TYPE b gauge\n"
        "b 1\n"
    )
    assert render([]) == ""


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_name_and_number_is_read_back(name: str, value: float) -> None:
    """Projects are called what people like."""
    (found,) = text_string_to_metric_families(render([Family("a", "gauge", "A.", (({"project": name}, value),))]))
    (sample,) = found.samples
    assert sample.value == value
    assert sample.labels == {"project": name.encode("utf-8", "replace").decode()}
