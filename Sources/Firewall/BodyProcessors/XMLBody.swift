// An XML body's document.

public final class XMLBody {}
