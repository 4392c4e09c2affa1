"""From matplotlib's SVG to one that can stand in a page among others, and takes on the page's colour and type."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

INK = "#1f2328"  # what is drawn in it has the colour of the page's text

LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
FONT = re.compile(r"font: (?:[\w-]+ )*?([\d.]+px) [^;]*")
REFERENCE = re.compile(r"url\(#([^)]+)\)|^#(?!\w{6}$)(.+)$")


def inline_svg(drawn: bytes, name: str, message: str) -> str:
    """An SVG element for HTML: small, scalable, without namespaces, and without an id that another could have.

    Args:
        drawn: by matplotlib, with text as text.
        name: what the ids begin with, unique in the page.
        message: what the picture says, for those who do not see it.
    """
    root = ElementTree.fromstring(drawn)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag.endswith(("}metadata", "}style"))]:
            parent.remove(child)
    referenced = {target for element in root.iter() for target in _targets(element)}
    for element in root.iter():
        element.tag = _without_namespace(element.tag)
        element.attrib = {
            _without_namespace(key): _compact(value, name)
            for key, value in element.attrib.items()
            if key != "id" or value in referenced
        }
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
        if element.tag != "text":
            element.text = None
        element.tail = None
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": message,
        # What matplotlib says in a style sheet, which would hold for the whole page.
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    return ElementTree.tostring(root, encoding="unicode")


def _targets(element: ElementTree.Element) -> Iterator[str]:
    for value in element.attrib.values():
        for found in REFERENCE.finditer(value):
            yield found[1] or found[2]


def _compact(value: str, name: str) -> str:
    value = value.replace(INK, "currentColor")
    value = FONT.sub(r"font-size: \1", value)
    value = REFERENCE.sub(lambda found: f"url(#{name}-{found[1]})" if found[1] else f"#{name}-{found[2]}", value)
    # A hundredth of a point is less than any screen shows.
    return " ".join(LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value).split())


def _without_namespace(name: str) -> str:
    return name.rpartition("}")[2]
