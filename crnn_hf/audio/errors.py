"""What can go wrong with a recording, as one public exception and the private one behind it."""


class AudioReadError(ValueError):
    """A recording that cannot be read whole and sound.

    The message is "<name>: <reason>". What a library underneath had to say, if it spoke, is chained as the cause.

    Attributes:
        name: what the source is called: its path, or the name the caller gave to bytes or to a stream.
        reason: in plain words, what was found and, where it helps, what was expected.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class Fault(Exception):
    """The reason alone, raised by the inner functions, which do not know what their source is called."""
