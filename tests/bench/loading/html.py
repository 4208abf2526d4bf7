"""Pages as documentation generators, wikis, help centres and blogs write them, and the pages that installed packages ship.

Whatever a reader sees, or gets by a click on a tab, a heading or "read more", is truth; menus, banners and dialogs are not.
"""

import random
import site
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import tomllib

from loading import Generated

NAME = "HTML"

SYLLABLES = "ba ce di fo gu ka le mi no pu ra se ti vo zu da ne lo ri ma".split()
HAN = "价格保修安装退款运费期限条件服务器端口配置文件用户密码重置时间数据备份恢复网络连接设备版本更新错误日志"


class Words:
    """Text that stands nowhere else: invented words, so that each one that is lost or gained shows."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def word(self) -> str:
        """A new word."""
        return "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(3, 5)))

    def few(self, n: int = 3) -> str:
        """A phrase."""
        return " ".join(self.word() for _ in range(n)).capitalize()

    def sentence(self) -> str:
        """A sentence, with a number in one of three, in Chinese one of eight."""
        if self.rng.random() < 0.125:
            return "".join(self.rng.choice(HAN) for _ in range(self.rng.randint(8, 20))) + "。"
        number = f" {self.rng.randint(2, 9999)}" if self.rng.random() < 0.33 else ""
        return self.few(self.rng.randint(5, 12)) + number + "."


Made = tuple[str, Sequence[str]]
"""Markup, and the passages that it shows."""


def paragraphs(w: Words) -> Made:
    said = [w.sentence() + " " + w.sentence() for _ in range(w.rng.randint(1, 3))]
    return "".join(f"<p>{text}</p>" for text in said), said


def plain_list(w: Words) -> Made:
    said = [w.sentence() for _ in range(3)]
    return f"<ul>{''.join(f'<li>{text}</li>' for text in said)}</ul>", said


def table_spans(w: Words) -> Made:
    """Two rows share their first cell, and what stands in it goes on."""
    plan, regions = w.word(), [w.word(), w.word()]
    numbers = [str(w.rng.randint(10, 999)) for _ in regions]
    rows = "".join(
        f"<tr>{f'<td rowspan=2>{plan}</td>' if not i else ''}<td>{region}</td><td>{number}</td></tr>"
        for i, (region, number) in enumerate(zip(regions, numbers, strict=True))
    )
    head = [w.word(), w.word(), w.word()]
    heads = "".join(f"<th>{text}</th>" for text in head)
    lines = [f"{plan} {region} {number}" for region, number in zip(regions, numbers, strict=True)]
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>", [" ".join(head), *lines]


def table_paragraphs(w: Words) -> Made:
    """Cells of several paragraphs, or with a list."""
    fee, when, sums = w.word(), w.word(), [w.rng.randint(10, 999) for _ in range(2)]
    items = [w.word(), w.word()]
    first = f"<tr><td><p>{fee}</p><p>{when}</p></td><td><p>{sums[0]}</p></td></tr>"
    second = f"<tr><td><ul><li>{items[0]}</li><li>{items[1]}</li></ul></td><td>{sums[1]}</td></tr>"
    return f"<table>{first}{second}</table>", [f"{fee} {when} {sums[0]}", f"{items[0]} {items[1]} {sums[1]}"]


def raised(w: Words) -> Made:
    """Marks of footnotes, powers, subscripts."""
    price, note, base = w.rng.randint(2, 99), w.sentence(), w.rng.randint(2, 9)
    a, b = w.word(), w.word()
    markup = f"<p>{a} {price}<sup>1</sup> {b} {base}<sup>8</sup>-1 H<sub>2</sub>O</p><ol class=footnotes><li>{note}</li></ol>"
    return markup, [f"{a} {price} 1 {b} {base} 8 1 H2O", note]


def formula(w: Words) -> Made:
    a, top, bottom = w.word(), w.rng.randint(1, 9), w.rng.randint(11, 99)
    math = f"<math><mfrac><mn>{top}</mn><mn>{bottom}</mn></mfrac><mo>+</mo><msup><mi>x</mi><mn>2</mn></msup></math>"
    return f"<p>{a} {math}</p>", [f"{a} {top} {bottom}", "x 2"]


def form(w: Words) -> Made:
    """What a form says and holds is content as much as what stands round it."""
    labels, value, chosen, other, area = [w.few(2) for _ in range(3)], w.few(2), w.word(), w.word(), w.sentence()
    fields = (
        f"<label>{labels[0]} <input type=text value='{value}'></label>"
        f"<label>{labels[1]} <select><option>{other}</option><option selected>{chosen}</option></select></label>"
        f"<label>{labels[2]} <textarea>{area}</textarea></label>"
    )
    return f"<form>{fields}</form>", [f"{labels[0]} {value}", f"{labels[1]} {chosen}", f"{labels[2]} {area}"]


def figure(w: Words) -> Made:
    alt, caption = w.few(4), w.sentence()
    return f"<figure><img src=a.png alt='{alt}'><figcaption>{caption}</figcaption></figure>", [alt, caption]


def code(w: Words) -> Made:
    name, value = w.word(), w.rng.randint(1, 99)
    return f"<pre><code>def <span>{name}</span>():\n    return {value}\n</code></pre>", [f"def {name} return {value}"]


def note(w: Words, markup: str) -> Made:
    title, text = w.few(1), w.sentence()
    return markup.format(title=title, text=text), [title, text]


def panels(w: Words, built: Mapping[str, str]) -> Made:
    """Tabs: labels, and panels of which all but the first are hidden."""
    names, texts = [w.word() for _ in range(3)], [w.sentence() for _ in range(3)]
    tops = "".join(built["tab"].format(name=name, i=i) for i, name in enumerate(names))
    bodies = "".join(built["panel"].format(text=text, i=i, hidden=built["hidden"] if i else "") for i, text in enumerate(texts))
    return built["tabs"].format(labels=tops, panels=bodies), [*names, *texts]


def folds(w: Words, fold: str) -> Made:
    """Questions with folded answers."""
    pairs = [(w.few(4) + "?", w.sentence()) for _ in range(2)]
    markup = "".join(fold.format(title=question, text=answer, i=w.rng.randrange(10**6)) for question, answer in pairs)
    return markup, [text for pair in pairs for text in pair]


ANY: Sequence[Callable[[Words], Made]] = (
    paragraphs, plain_list, table_spans, table_paragraphs, raised, formula, form, figure, code,
)  # fmt: skip

COOKIES = (
    '<div id="CybotCookiebotDialog" role="dialog" style="display:none"><h2>{a}</h2><p>{b}</p><button>{c}</button></div>',
    '<div id="onetrust-banner-sdk" role="alertdialog"><p>{a}</p><button>{b}</button><button>{c}</button></div>',
    '<div class="cookie-consent-banner" hidden><p>{a} {b}</p><button>{c}</button></div>',
    '<dialog id="login-dialog"><p>{a}</p><button>{b}</button><button>{c}</button></dialog>',
)


def page(w: Words, built: Mapping[str, str], parts: Sequence[int]) -> Made:
    """A page with some of what such sites hold, and their furniture."""
    own: list[Callable[[Words], Made]] = [
        lambda w: panels(w, built), lambda w: folds(w, built["fold"]), lambda w: note(w, built["note"]),
    ]  # fmt: skip
    title, lead = w.few(3), w.sentence()
    body, truth = "", [title, lead]
    for part in parts:
        heading = w.few(2)
        markup, said = (*ANY, *own)[part](w)
        body += f"<h2 id=s{part}>{heading}{built['anchor']}</h2>{markup}"
        truth += [heading, *said]
    menu = "".join(f'<li><a href="/{w.word()}">{w.few(2)}</a></li>' for _ in range(5))
    cookies = w.rng.choice(COOKIES).format(a=w.sentence(), b=w.few(2), c=w.word())
    other = {name: w.few(3) for name in ("brand", "previous", "next", "legal", "search")}
    return (HEAD + built["page"]).format(title=title, lead=lead, body=body, menu=menu, cookies=cookies, **other), truth


HEAD = "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title><style>p{{color:red}}</style></head>"

SITES: Mapping[str, Mapping[str, str]] = tomllib.loads((Path(__file__).parent / "sites.toml").read_text(encoding="utf-8"))

PAGES = 6
"""Pages of each site."""


def generated() -> Iterator[Generated]:
    """Pages of all sites."""
    for s, (name, built) in enumerate(SITES.items()):
        for n in range(PAGES):
            w = Words(100 * s + n)
            own = [len(ANY) + (n + i) % 3 for i in range(2)]
            parts = [*w.rng.sample(range(len(ANY)), 4), *own]
            w.rng.shuffle(parts)
            markup, truth = page(w, built, parts)
            yield Generated(f"{name}-{n}.html", markup.encode(), truth)


def shipped() -> Iterator[Path]:
    """Pages of some size in installed packages and the system's documentation, without templates; at most ten of a folder."""
    for root in (*site.getsitepackages(), "/usr/share/doc", "/usr/lib/node_modules"):
        taken: dict[Path, int] = {}
        for file in sorted((*Path(root).rglob("*.html"), *Path(root).rglob("*.htm"))):
            raw = file.read_bytes() if file.is_file() and 2000 < file.stat().st_size < 400_000 else b"{{"
            if b"{{" in raw or b"{%" in raw or taken.get(file.parent, 0) >= 10:
                continue
            taken[file.parent] = taken.get(file.parent, 0) + 1
            yield file


def _markup(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")


def pandoc(file: Path) -> str:
    import pypandoc

    return str(pypandoc.convert_text(_markup(file), "plain", format="html", extra_args=["--wrap=none", "--quiet"]))


def trafilatura(file: Path) -> str:
    import trafilatura

    return trafilatura.extract(_markup(file), favor_recall=True) or ""


def readability(file: Path) -> str:
    import readability
    from lxml import html

    return str(html.fromstring(readability.Document(_markup(file)).summary()).text_content())


def everything(file: Path) -> str:
    """The text of every element but scripts and styles."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(_markup(file))
    tree.strip_tags(["script", "style", "head"])
    return tree.body.text(separator=" ") if tree.body else ""


REFERENCES = {"pandoc": pandoc, "trafilatura": trafilatura, "readability": readability, "all text": everything}
