"""Forms of words that error texts put beside the name of what was called.

A form is what stands before the name (a `GAP` and perhaps a `FILL` follow it) and what stands after, in the part of the
syntax that Python's and Rust's regular expressions share; but for ``(?=...)``, which `_segments` takes out.
"""

from __future__ import annotations

Form = tuple[str, str]

# Before a name: blanks or a sign, then perhaps a quote; then perhaps words that say what kind of thing it is.
GAP = r"(?:[ :=]{1,3}[\"'`(\[<]{0,2}|[\"'`(\[]{1,2})"
# An Istio cluster writes direction, port and subset before the host; a gRPC target its scheme.
_PREFIX = r"(?:outbound\|\d{1,5}\|[a-z0-9._-]{0,40}\||(?:dns|passthrough|xds|discovery):///)?"
FILL = (
    r"(?:(?:(?:the|our|an?|remote|upstream|downstream|backend|target|external|internal|grpc|http|redis|postgres(?:ql)?"
    r"|mysql|mongodb|kafka|rabbitmq|amqp|broker|service|server|host|hostname|cluster|database|db|endpoint|node|api|at|on"
    r"|app|app[- ]id|address|dial|tcp|lookup)"
    r":? ){0,3}[\"'`(\[<]{0,2})" + _PREFIX
)
_QUOTE = r"[\"'`)\]]{0,2}"  # behind a name
_ERRNO = r"(?: \[errno -?\d{1,3}\])?"
_CANNOT = (
    r"(?:fail(?:ed|ure|s|ing)?|unable|not able|errors?|could ?n[o']t|could not|can ?not|can't|time(?:d )?[ -]?out"
    r"|timeouts?|exceptions?|refused|retrying|problem|trouble|while|when)"
)
_CALL = (
    r"(?:connect(?:ing|ion)?|call(?:ing)?|reach(?:ing)?|contact(?:ing)?|dial(?:ing)?|invok(?:e|ing)|talk(?:ing)?"
    r"|communicat(?:e|ing)|ping(?:ing)?|request(?:ing|s)?)"
)
_BROKEN = r"(?:refused|reset|timed out|time ?out|lost|closed|failed|failure|aborted|dropped|broken|error)"
_REASON = (
    r"(?:bad gateway|service unavailable|internal server error|gateway time-?out|too many requests|not found|error"
    r"|response|status|code|returned|received|got)"
)
_FETCH = (
    r"(?:fetch(?:ing)?|get(?:ting)?|quer(?:y|ying)|read(?:ing)?|load(?:ing)?|send(?:ing)?|publish(?:ing)?|writ(?:e|ing)"
    r"|retriev(?:e|ing)|post(?:ing)?)"
)


def _before(*words: str) -> tuple[Form, ...]:
    return tuple((form, "") for form in words)


# The place of a host: whatever stands there is one.
HOST_FORMS: tuple[Form, ...] = (
    *_before(
        r"no (?:healthy |available |live )?(?:instances?|servers?|endpoints?|hosts?|upstreams?|backends?)"
        r"(?: (?:is|are))?(?: available| found| registered)?(?: for| in)(?: the)?(?: service| client| cluster)?",
        r"available servers? for (?:client|service)",
        r"unknown ?host(?: ?exception| name)?",
        r"e(?:connrefused|notfound|ai_again|timedout|hostunreach|connreset|netunreach)",
        r"(?:dial|dialing|dialling):? (?:tcp|udp)[46]?:?(?: lookup)?",
        r"(?:translate|resolve|resolving|find|unknown|look ?up) (?:the )?"
        r"(?:host ?name|host|(?:mysql )?server|address of)(?: name| host| address)?",
        r"bad address(?= ?[\"'])",
        r"getaddrinfo for",
        r"open(?:ing)? tcp connection to",
        r"connect\(2\) for",
        r"(?:failed|unable|failure|not able|could not|couldn't|cannot|can't) (?:to )?resolve",
        r"dns (?:resolution|lookup|error|query)(?: failed| failure| error)?(?: for| of| resolving)",
        r"host not found in upstream",
        r"(?:name or service not known|temporary failure in name resolution|no such host(?: is known\.)?)(?= ?[:\x28])",
        r"error -?\d{1,3} (?:while )?connecting to",
        r"mysql server (?:on|at)",
        r"(?:server|running) (?:on|at) host",
        r"connection to server at",
        r"connect(?:ion)? to (?:the )?host(?: at)?",
        r"connect(?:ion)? to [\"'`]?host(?= ?=)",
        r"amqp server on",
        r"circuit(?: ?breaker)?(?: is| was)? (?:open|opened|tripped) (?:for|to|on)",
        r"(?:circuit ?breaker|bulkhead|timelimiter|rate ?limiter)(?: for)?(?= ?[\"'`])",
        r"failed to connect to(?: server)?(?= ?[\[])",
    ),
    (r"lookup", r"(?: on [0-9\[]|: (?:no such|i/o|server|temporary|connection))"),
    (
        r"",
        (
            rf"{_QUOTE}:?{_ERRNO} (?:name or service not known|no such host(?: is known\.)?|name does not resolve"
            r"|nodename nor servname|could not be resolved|\[root exception is)"
        ),
    ),
    (r"(?:(?:failed|failing|unable) to |could ?n[o']t |could not |cannot |can't )?connect(?:ing)? to", r" port \d"),
    (r"connect to", r" \[[a-z0-9./:, -]{1,200}\] (?:failed|timed)"),
    # What the settings of a database connection say: host=orders-db user=app.
    (
        r"(?:host|server|hostname|data source)",
        r"\)?[ ;,&(](?:port|user|user ?id|uid|dbname|database|initial catalog|password|sslmode) ?=",
    ),
)
# The same, and the name follows at once.
JOINED_FORMS: tuple[Form, ...] = _before(
    r"(?:read|write) tcp [0-9.:a-z-]{1,80}->",
    r"https?connectionpool\(host=[\"']",
    r"(?:connection to )?node -?\d{1,10} \(",
    r"connect call failed \([\"']",
    r"ipv4[#:]",
    r"(?:dns|passthrough|xds|discovery):///",
    r"outbound\|\d{1,5}\|[a-z0-9._-]{0,40}\|",
)
# Words for calling: what stands there is a name, or a noun.
CALL_FORMS: tuple[Form, ...] = (
    *_before(
        rf"{_CANNOT}(?: to| in| on| while| when| by| trying to| attempting to)? {_CALL}(?: to| with| from| at)?",
        rf"{_CANNOT} (?:calls?|requests?|rpcs?|connections?) (?:to|with)",
        rf"connect(?:ion|ions)?(?: was| were| is| got)? {_BROKEN}(?: connecting| while connecting| by peer)?"
        r" ?(?:to|from|by|for|with)",
        r"connection (?:refused|reset|timed out)(?:: no further information)?(?= ?:)",
        rf"[45]\d\d(?: {_REASON}){{0,2}} (?:from|by|calling|returned by)",
        r"(?:lost|no|broken|bad|dropped|dead|closed|too many|stale) connections? (?:to|with|from)",
        r"failed to invoke,? id",
    ),
    (
        r"circuit ?breaker(?: for| of| on| to)?",
        rf"{_QUOTE} (?:is |was |has |state |changed |transition|went )?(?:open|half|trip|now open|been open)",
    ),
    (
        r"pool (?:for|to|of)",
        rf"{_QUOTE} (?:is |was |has |has been )?(?:exhausted|full|empty|timed|depleted|saturated)",
    ),
    (
        r"(?:connections?|requests?|calls?|rpcs?|queries|query|connecting|request to service|traffic) (?:to|towards)",
        (
            rf"{_QUOTE}:?,? (?:port \d{{1,5}} )?(?:fail|timed|time ?out|timing|refused|was |were |is |are |keep|reset"
            r"|could|closed|lost|return|exceed|abort|has |have |errored|got |rejected|dropped|unavailable|unreachable"
            r"|broken|error)"
        ),
    ),
    (
        r"(?:upstream|downstream|dependency|remote|backend)(?: service| cluster| host| server| dependency)?",
        (
            rf"{_QUOTE}:? (?:timed|time ?out|return|fail|unavailable|unreachable|refused|reset|error|down|respond"
            r"|is (?:down|un|not|fail|return|slow)|not |did ?n|did not|does not|connect|gave|got|has )"
        ),
    ),
    (
        r"",
        (
            rf"{_QUOTE}:{_ERRNO} (?:connect(?:ion)?:? (?:connection )?"
            r"(?:refused|reset|timed out|closed|aborted)|i/o timeout|no route to host|host is unreachable"
            r"|network is unreachable|temporary failure in name|getaddrinfo failed|econnrefused|econnreset"
            r"|connect to ipv[46]|disconnected \(after)"
        ),
    ),
)
# Words that name nothing by themselves: the name must look like one.
SHAPED_FORMS: tuple[Form, ...] = (
    *_before(
        r"(?:response|reply|answer|error|exception|timeout) (?:received |returned |reading )?(?:from|by)",
        r"(?:wait(?:ing|ed)?|timed out)(?: [a-z]{2,10}){0,3} (?:for|on|from)",
        r"(?:deadline exceeded|timed? ?out|timeout)(?: while| when)?"
        r" (?:calling|reaching|querying|fetching|executing|from)",
        r"(?:failed|failure|unable|error|could not|cannot|can't|couldn't|errors)(?: to| while| when)? "
        rf"{_FETCH}(?: [a-z]{{2,14}}){{0,3}} (?:from|to|on)",
        r"(?:failed|error|exception|unable)(?: to| while| when)? (?:query|querying|fetching|accessing|access)",
        r"pool(?: is)? (?:exhausted|full) (?:for|to)",
        r"connection (?:refused|reset|timed out|closed)(?= ?\x28)",
        r"(?:redis server|bootstrap broker|unabletoconnect on|serverendpoint|server selection for)",
        r"amqp connection [0-9.:]{7,21} ->",
        r"address(?==)",
        r"(?:unreachable|not reachable|no response|no answer|nobody answers?) (?:from|at)",
    ),
    (
        r"",
        (
            rf"{_QUOTE} (?:is refusing connections|did not respond|refused (?:the )?connection|short-circuited"
            r"|connection (?:refused|reset|timed out)|(?:is |was |became )?(?:currently )?(?:unreachable|not reachable)"
            r"|(?:returned|responded|replied|answered)(?: with| an?| http| status| code| error){0,4}:? [45]\d\d)"
        ),
    ),
)
