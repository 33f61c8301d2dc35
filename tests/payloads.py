"""Names and titles that would run as script, or draw as markup, wherever text is not shown as text.

What would run sets `window.__pwned`, so that a page can be asked whether any of it ever did.
"""

from __future__ import annotations

RUN = "window.__pwned=1"

PAYLOADS = (
    # script elements
    f"<script>{RUN}</script>",
    f"<ScRiPt >{RUN}</sCrIpT >",
    f"<script\x0btype=module>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<script/x>{RUN}</script",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "<script src=data:text/javascript,window.__pwned=1></script>",
    f"--></script><script>{RUN}//",
    # event handlers
    f"<img src=x onerror={RUN}>",
    f"<img/src=x/onerror={RUN}//",
    f'<img src="x" ONERROR="{RUN}">',
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<marquee onstart={RUN}>x</marquee>",
    f"<div style=animation-name:x onanimationstart={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<a id=x tabindex=1 onfocus={RUN}></a>",
    # SVG and MathML
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><foreignObject><img src=x onerror={RUN}></foreignObject></svg>",
    "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='window.__pwned=1'/>#x\"/></svg>",
    "<math><mtext><img src=x onerror=window.__pwned=1></mtext></math>",
    "<math href=javascript:window.__pwned=1>CLICK</math>",
    # addresses that run
    "javascript:window.__pwned=1",
    "JaVaScRiPt:window.__pwned=1",
    "java\tscript:window.__pwned=1",
    "<a href=javascript:window.__pwned=1>runbook</a>",
    '<a href="  javascript:window.__pwned=1" target=_self>x</a>',
    "<a href=&#106;avascript:window.__pwned=1>x</a>",
    "<iframe src=javascript:window.parent.__pwned=1></iframe>",
    "<iframe srcdoc='<script>parent.__pwned=1</script>'></iframe>",
    "<object data=javascript:window.__pwned=1></object>",
    "<embed src=javascript:window.__pwned=1>",
    "<form action=javascript:window.__pwned=1><button>go</button></form>",
    "<button formaction=javascript:window.__pwned=1>go</button>",
    "data:text/html,<script>opener.__pwned=1</script>",
    "<meta http-equiv=refresh content='0;url=javascript:window.__pwned=1'>",
    "<base href=javascript:window.__pwned=1//>",
    # out of an attribute, a style, a comment, JSON or code
    f'" onmouseover="{RUN}" x="',
    f"' autofocus onfocus='{RUN}' x='",
    f'"><img src=x onerror={RUN}>',
    f"`onmouseover={RUN} `",
    f"<!--<img src='--><img src=x onerror={RUN}//'>-->",
    f'"}}]}}</script><script>{RUN}</script>',
    f'");{RUN};//',
    f"';{RUN};'",
    "</style><style>@import'javascript:window.__pwned=1';</style>",
    "<style>*{background:url(javascript:window.__pwned=1)}</style>",
    f"]]><img src=x onerror={RUN}>",
    # what only some tool reads as more than text: plotly's markup, Markdown, LaTeX, templates, terminals
    "<b>bold</b><br><a href='javascript:window.__pwned=1'>plotly</a>",
    '[runbook](javascript:window.__pwned=1) ![x](x"onerror="window.__pwned=1)',
    "$\\href{javascript:window.__pwned=1}{x}$ $$\\unicode{<img src=x onerror=window.__pwned=1>}$$",
    "{{constructor.constructor('window.__pwned=1')()}} ${window.__pwned=1} #{window.__pwned=1}",
    "\x1b]8;;javascript:window.__pwned=1\x07link\x1b]8;;\x07 \x1b[31mred\x1b[0m",
    "\u202e>tpircs/<1=denwp__.wodniw>tpircs<\u202c\u2066<img src=x onerror=window.__pwned=1>\u2069",
    "\uff1cscript\uff1ewindow.__pwned=1\uff1c/script\uff1e\ufeff<\u200bscript>window.__pwned=1</script>",
)
