"""Results as JUnit XML, which CI systems read."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from .test_report import Played, Source, case_lines


def junit_xml(workflow: str, source: Source, table: Source, played: Sequence[Played]) -> str:
    """One test suite. `time` is real time; the simulated one is a property."""
    suite = ElementTree.Element(
        "testsuite",
        name=workflow,
        tests=str(len(played)),
        failures=str(sum(not each.passed for each in played)),
        errors="0",
        time=f"{sum(each.seconds for each in played):.3f}",
    )
    for each in played:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=workflow,
            name=each.case.name,
            file=table.file,
            line=str(each.case.position.line),
            time=f"{each.seconds:.3f}",
        )
        properties = ElementTree.SubElement(case, "properties")
        ElementTree.SubElement(
            properties, "property", name="elapsed_seconds", value=f"{each.outcome.elapsed_seconds:g}"
        )
        if not each.passed:
            lines = [line.plain for line in case_lines(source, table, each)]
            failure = ElementTree.SubElement(case, "failure", message=lines[0])
            failure.text = "\n".join(lines)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
