"""What secrets and personal data look like in text, and what a record that may hold any looks like.

What `SUSPICIOUS` searches for in many records at once is made of the same parts as the rules, in what both engines know
(Python's and RE2), so that it passes over nothing they would change.
"""

from __future__ import annotations

import re

from stanza_lab.loaders._redaction_keys import ENDS, WHOLE

# Letters of names and addresses; other scripts run on without spaces, so an address begins after them.
_L = "A-Za-z\u00c0-\u024f\u0370-\u052f"
_W = f"0-9_{_L}"
EMAIL = re.compile(
    rf"(?<![{_W}.%+'-])[{_W}](?:[{_W}.%+'-]{{0,62}}[{_W}%+])?@(?:[{_W}-]{{1,63}}\.){{1,8}}"
    rf"(?:xn--[A-Za-z0-9-]{{1,59}}|[{_L}]{{2,24}})"
)
# A login at a machine (a database's user at its host, a git remote) or a version is no address of a person.
NO_EMAIL = re.compile(
    r".*\.(?:amazonaws\.com(?:\.cn)?|internal|local|localdomain|localhost|lan|svc|cluster|consul|compute|windows\.net"
    r"|azure\.com|cloudapp\.net|appspot\.com|googleusercontent\.com|gserviceaccount\.com)"
    r"|(?:git|ssh|hg|svn)@.*|.*@v?\d+\.\d.*|redacted-.*|person-[0-9a-f]{10}@redacted\.invalid.*",
    re.IGNORECASE,
)
_S = r"\\{0,4}/"  # a slash, escaped or not
_HOOK_HOSTS = (
    rf"hooks\.slack(?:-gov)?\.com{_S}|(?:ptb\.|canary\.)?discord(?:app)?\.com{_S}api{_S}webhooks{_S}"
    rf"|[\w.-]{{1,80}}\.webhook\.office\.com{_S}|outlook\.office(?:365)?\.com{_S}webhook{_S}"
    rf"|events(?:\.eu)?\.pagerduty\.com{_S}(?:integration|x-ere|generic){_S}|api\.telegram\.org{_S}bot"
    rf"|chat\.googleapis\.com{_S}|[\w.-]{{1,80}}\.logic\.azure\.com(?::443)?{_S}"
)
_LONG = r"(?=[^\s\"'<>|\\,;&]{0,200}[0-9])"
# Secrets in text; the group of a branch stays before the pseudonym.
SECRETS = re.compile(
    rf"(https?:{_S}{_S}(?:{_HOOK_HOSTS}))(?:[^\s\"'<>|\\]|\\{{1,4}}/)+(?<![.,;:!?)])"
    rf"|({_S}services{_S})T[A-Z0-9]{{5,}}{_S}B[A-Z0-9]{{5,}}{_S}\w{{8,}}"
    r"|(:(?:\\{0,4}/){2}[^\s/\"'@:\\]{0,100}:)[^\s/\"'@\\]{1,200}(?=@)|(:(?:\\{0,4}/){2})[0-9a-f]{24,64}(?=@)"
    r"|((?:^|[?&;]|\\u0026)(?:amp;)?[\w.-]{0,40}(?:secret|passw(?:or)?d|pwd|api_?key|token)=)[^\s&\"'<>|\\;#]{4,}"
    rf"|((?:^|[?&;]|\\u0026)(?:amp;)?(?:[\w.-]{{0,40}}(?:signature|credential)|sig|auth|tokenid|key|code)=){_LONG}"
    r"[^\s&\"'<>|\\;#]{12,}"
    r"|\bxox[a-z]-[A-Za-z0-9-]{8,}|\bxapp-[\w-]{8,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}"
    r"|(?-i:\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)|(?-i:\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)|\b[rs]k_(?:live|test)_\w{8,}"
    r"|(?-i:\bSG\.[\w-]{16,}\.[\w-]{16,})|(?-i:\bAIza[\w-]{30,})|(?-i:\bNRAK-[A-Z0-9]{20,})|\bglsa_\w{20,}"
    r"|\bsntr[a-z]{1,2}_[\w=+/-]{20,}"
    r"|(\b(?:(?:Bearer|Basic|GenieKey) {1,4}|Token token=)[\"']?)(?=[\w.~+/=-]{0,400}(?:[0-9=]|(?-i:[a-z][A-Z])))"
    r"[\w.~+/=-]{8,}"
    r"|(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)(?:redacted-[0-9a-f]{10}|[^-]+)"
    r"|(passw(?:or)?d=[\"']?)[^\s\"'\\,;&<>|)]+"
    r"|((?:secret|passw(?:or)?d|passphrase|token|api[_-]?key|routing_key|integration_key|access_key)"
    rf"\\{{0,4}}[\"']? {{0,3}}[=:] {{0,3}}\\{{0,4}}[\"']?){_LONG}[^\s\"'\\,;&<>|)]{{8,}}",
    re.IGNORECASE | re.ASCII,
)
# One of these stands in every text that `SECRETS` finds something in; looked for first, for it is cheaper.
SIGNS = (
    *("hooks.slack", "webhook", "/integration", "/x-ere", "/generic", "api.telegram", "chat.googleapis", "logic.azure"),
    *(
        "services/",
        "services\\",
        "secret",
        "passw",
        "passphrase",
        "pwd=",
        "token",
        "api_key",
        "apikey",
        "api-key",
        "_key",
    ),
    *(
        "signature",
        "credential",
        "sig=",
        "auth=",
        "key=",
        "code=",
        "xox",
        "xapp-",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
    ),
    *("github_pat", "glpat-", "akia", "asia", "eyj", "k_live", "k_test", "sg.", "aiza", "nrak-", "glsa_", "sntr"),
    *("bearer", "basic", "geniekey", "private key", "\\integration", "\\x-ere", "\\generic"),
)
USER = re.compile(
    r"(\b(?:user|user_?name|login|assignee|reporter)=[\"']?)([^\s\"'\\,;&<>|()\[\]{}$%]{2,100})", re.I | re.A
)
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^<>|]{1,100}))?>", re.ASCII)
MAILTO = re.compile(r"(<mailto:[^<>|\s]{1,200}\|)([^<>|@]{1,100})(?=>)", re.ASCII)
# A key and its text in what is no JSON, or not whole.
PAIR = re.compile(r"(\\{0,4}\"([^\"\\]{1,80})\\{0,4}\" {0,3}: {0,3}\\{0,4}\")((?:[^\"\\]|\\(?![\"\\]))+)")
ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)"
    r"|(?<![0-9A-Fa-f]:)(?:[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]|\.\d))",
    re.ASCII,
)

SUSPICIOUS = (
    rf"(?i)[{_W}%+]@[{_W}-]+\.[{_L}]"
    rf"|(?:{ENDS}|[\"./:][ ']*(?:{WHOLE}))[ ']*\\*\" *[:,}}\]]|type\\*\": *\\*\"[a-z_ .]*(?:user|webhook|pagerduty)"
    r"|code\\*\": *\\*\"[0-9a-f]{24}"
    r"|\\u00[2-7]|hooks\.slack|webhooks?\\*/|webhook\.office|/integration\\*/|/x-ere\\*/|/generic\\*/|api\.telegram"
    r"|chat\.googleapis|logic\.azure|services\\*/t[a-z0-9]+\\*/b|:\\*/\\*/[^/\"\s@:]*:[^/\"\s@]+@|:\\*/\\*/[0-9a-f]{24}"
    r"|(?:secret|passw(?:or)?d|pwd|passphrase|token|api[_-]?key|(?:routing|integration|access)_key)(?:\\*[\"'])? *[=:]"
    r"|(?:signature|credential|sig|auth|tokenid|key|code)=|xox[a-z]-|xapp-|gh[pousr]_[a-z0-9]{16}|github_pat_|glpat-"
    r"|(?-i:AKIA|ASIA)[0-9a-z]{16}|eyj[\w-]{8}|[rs]k_(?:live|test)_|(?-i:SG)\.[\w-]{16}|(?-i:AIza)|nrak-|glsa_|sntr[a-z]"
    r"|bearer |basic |geniekey|token token=|private key|(?:user|user_?name|login|assignee|reporter)=|<@[uw][0-9a-z]"
    r"|<mailto:"
)
SUSPICIOUS_ADDRESS = r"|\d\.\d{1,3}\.\d{1,3}\.\d|(?:[0-9a-f]{1,4}:){3}|[0-9a-f ]::|::[0-9a-f]"
