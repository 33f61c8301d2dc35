"""``python -m stanza_lab`` is ``stanza-lab``."""

from stanza_lab.cli import main

main()
