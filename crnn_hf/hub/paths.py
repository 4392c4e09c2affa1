"""Where files lay on somebody's machine is nobody else's business: it is taken out of what is published."""

import re
from typing import Any

# A path from the root or the home folder, up to its last name. An address has a colon or a slash before its slashes.
FOLDERS = re.compile(r"""(?<![\w:/\\.~-])(?:~|[A-Za-z]:)?[/\\](?:[^/\\\s,;'"]+[/\\])*(?=[^/\\\s,;'"])""")


def without_paths(value: Any) -> Any:
    """A value, or all within it, with the folders of absolute paths taken out of its text.

    "/srv/someone/corpus, test" becomes "corpus, test". Addresses and relative paths stay as they are.
    """
    if isinstance(value, str):
        return FOLDERS.sub("", value)
    if isinstance(value, dict):
        return {name: without_paths(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(inner) for inner in value]
    return value
