"""HTML: that nothing a reader can reach is lost, that numbers stay numbers, and that what is left out is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.records import Document
from ragdiag.sources.loaders import html


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., Document]:
    def read(markup: str, *keep: str) -> Document:
        (tmp_path / "page.html").write_text(markup, encoding="utf-8")
        return html.load(tmp_path / "page.html", frozenset(keep))

    return read


Page = Callable[..., Document]


@pytest.mark.parametrize(
    "folded",
    [
        "<div role=tabpanel hidden>Use port 8443</div>",
        "<div class='tab-pane' style='display: none'>Use port 8443</div>",
        "<div id=a1 aria-hidden=true><p>Use port 8443</div>",
        "<dd style='display:none'>Use port 8443</dd>",
        "<section class='panel collapse' hidden>Use port 8443</section>",
        "<details><summary></summary><div style='display:none'>Use port 8443</div></details>",
        "<p>Long<span id=more style='display:none'> Use port 8443</span></p>",
        "<p>Long<span class=read-more hidden> Use port 8443</span></p>",
        "<p hidden>Use port 8443",
        "<div style='visibility:hidden'>Use port 8443</div>",
        "<div popover id=tip>Use port 8443</div>",
        "<main><dialog><h2>Ports</h2>Use port 8443</dialog></main>",
        "<dialog id=ports>Use port 8443</dialog><button commandfor=ports>Ports</button>",
        "<div class=modal id=ports style='display:none'>Use port 8443</div><a href=#ports>Ports</a>",
        "<div role=tabpanel id=tab-cookies hidden>Use port 8443</div>",
        "<x-tabs><template shadowrootmode=open><p>Use port 8443</template></x-tabs>",
    ],
)
def test_what_a_click_shows_is_content(page: Page, folded: str) -> None:
    read = page(f"<h1>Ports</h1>{folded}")
    assert "Use port 8443" in read.text
    assert read.left_out == ()


@pytest.mark.parametrize(
    ("markup", "kind", "place"),
    [
        ("<nav><a href=/>Left out</a></nav>", "navigation", "<nav>"),
        ("<header>Left out</header>", "navigation", "<header>"),
        ("<footer id=foot>Left out</footer>", "navigation", "<footer id=foot>"),
        ("<div role=contentinfo>Left out</div>", "navigation", "<div role=contentinfo>"),
        ("<aside><a href=/a>Left</a> <a href=/b>out</a></aside>", "navigation", "<aside>"),
        ("<aside class=sidebar>Left out</aside>", "navigation", "<aside class=sidebar>"),
        ("<div class=cookie-banner hidden>Left out</div>", "navigation", "<div class=cookie-banner>"),
        ("<div id=mobile-menu hidden><a href=/>Left out</a></div>", "navigation", "<div id=mobile-menu>"),
        ("<a class=skip-link href=#c>Left out</a>", "navigation", "<a class=skip-link>"),
        ("<dialog id=login>Left out</dialog>", "hidden", "<dialog id=login>"),
        ("<div role=dialog hidden><input type=password>Left out</div>", "hidden", "<div role=dialog>"),
        ("<div hidden role=status>Left out</div>", "hidden", "<div role=status>"),
        ("<div class=print-only>Left out</div>", "hidden", "<div class=print-only>"),
        ("<p>x <span class=sr-only>Left out</span></p>", "hidden", "<span class=sr-only>"),
        ("<p>x <span style=display:none>Left out</span></p>", "hidden", "<span>"),
        ("<template id=t><p>Left out</p></template>", "hidden", "<template id=t>"),
        ("<noscript>Left out</noscript>", "hidden", "<noscript>"),
        ("<form role=search><label>Left out</label><input></form>", "forms", "<form role=search>"),
        ("<form><button>Left out</button></form>", "forms", "<button>"),
        ("<form><label>Left out<input></label></form>", "forms", "<label>"),
        ("<form><label><input type=radio>Left out</label></form>", "forms", "<label>"),
        ("<select><option>Left out</select>", "forms", "<select>"),
        ("<ruby>x<rt>Left out</rt></ruby>", "notes", "<rt>"),
    ],
)
def test_what_is_left_out_is_told_and_stays_where_its_kind_is_kept(page: Page, markup: str, kind: str, place: str) -> None:
    read = page(f"<p>Before.</p>{markup}<h1>After</h1>")
    assert "Left" not in read.text
    assert [(each.kind, each.text, each.place) for each in read.left_out] == [(kind, "Left out", place)]
    assert read.text[read.left_out[0].at] in "#x", "the block in which it stood, else the next one"
    kept = page(f"<p>Before.</p>{markup}<h1>After</h1>", kind)
    assert "Left out" in " ".join(kept.text.split())
    assert kept.left_out == ()


def test_an_omission_stands_where_its_block_would(page: Page) -> None:
    read = page("<p>one<p>two</p><nav>menu</nav><table><tr><td>a<td>b<button type=submit>go</button></table><footer>end</footer>")
    assert read.text == "one\n\ntwo\n\na | b"
    assert [(each.text, read.text[each.at :]) for each in read.left_out] == [("menu", "a | b"), ("go", "a | b"), ("end", "")]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<aside class=warning>Never mix them.</aside>", "Never mix them."),
        ("<div role=complementary>A note in plain words.</div>", "A note in plain words."),
        ("<main>x<aside>Mind this.</aside></main>", "x\n\nMind this."),
        ("<header><nav>menu</nav><h1>Title</h1><p>Lead.</header>x", "# Title\n\nLead.\n\nx"),
        ("<header><h1>Site</h1></header><main><h1>Page</h1></main>", "# Page"),
        ("<section><header><h2>Part</h2></header>x<footer>Of the part</footer></section>", "## Part\n\nx\n\nOf the part"),
        ("x<footer class=footnotes>1. Note</footer><footer>legal</footer>", "x\n\n1. Note"),
        ("x<footer><p id=fn1>1. Note</footer>", "x\n\n1. Note"),
        ("<nav><div role=tablist><button role=tab>Linux</button></div></nav>", "Linux"),
        ("<button aria-expanded=false>Who pays?</button><div hidden>We.</div>", "Who pays?\n\nWe."),
        ("<button class=accordion>Fees</button><div class=panel hidden>None.</div>", "Fees\n\nNone."),
        ("<td><i></i><span class=sr-only>Yes</span>", "Yes"),
        ("<p>now <span aria-hidden=true>$5</span><span class=sr-only>five dollars</span>", "now $5"),
        ("<noscript>All of it</noscript><div id=root></div>", "All of it"),
        ("<form><label>Limit</label> <input value='20 MB'><button>Save</button></form>", "Limit 20 MB"),
        ("<select><option>a<option selected>b</select>", "b"),
        ("<textarea>typed\nin</textarea>", "typed in"),
        ("<form><h3>Survey</h3><p>Why we ask.</p></form>", "### Survey\n\nWhy we ask."),
        ("<ul><li><input type=checkbox checked> done<li><input type=checkbox> open</ul>", "- [x] done\n- [ ] open"),
        ("<meter>1 of 2</meter><output>42</output>", "1 of 2 42"),
        ("press<img src=g.png alt='the gear'>twice", "press the gear twice"),
        ("<figure><img src=c.png alt='A valve'><figcaption>A valve, open</figcaption></figure>", "A valve, open"),
        ("<svg><style>p{}</style><text>Load</text><text>Store</text></svg>", "Load\nStore"),
        ("<span style='display:block'>one</span><span style='display:block'>two</span><x-a>three</x-a>", "one two three"),
        ("<h2>C#<a href=#c>#</a></h2><h3>Limits<a href=#l>\u200b</a></h3>", "## C#\n\n### Limits"),
    ],
)
def test_what_readers_see_is_content(page: Page, markup: str, text: str) -> None:
    assert page(markup).text == text


def test_pictures_without_text_and_objects_are_told(page: Page) -> None:
    markup = "x<img src=/a/plan.png?v=2><img src=b.png alt=''><img alt='IMG_7.JPG'><img width=1 src=t.gif><img role=presentation>"
    read = page(markup + "<svg role=img aria-label='Flow'></svg><svg><path/></svg><iframe title='A film'></iframe>")
    left = [(each.kind, each.text, each.place) for each in read.left_out]
    assert left == [
        ("images", "", "<img plan.png>"),
        ("images", "", "<img b.png>"),
        ("images", "", "<img>"),
        ("images", "Flow", "<svg role=img>"),
        ("unreadable", "A film", "<iframe>"),
    ]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("costs 7<sup>1</sup> or 2<sup>8</sup>-1", "costs 7^1 or 2^8-1"),
        ("end.<sup>2</sup> word<sup>3</sup>", "end.^2 word^3"),
        ("10<sup>-3</sup> x<sup>n-1</sup> 2<sup>2<sup>3</sup></sup>", "10^-3 x^(n-1) 2^(2^3)"),
        ("10<sup>6</sup>7 m<sup>3</sup>/h", "10^6 7 m³/h"),
        ("40m<sup>2</sup> or km<sup> <b>12</b> </sup>h mm<sup>-1</sup>", "40m² or km¹² h mm^-1"),
        ("4<span style='vertical-align: super'>1</span> 4<span class=superscript>2</span>", "4^1 4^2"),
        ("9<sup><a href=#f1>1</a></sup> 9<sup>[1]</sup> 9<sup>1,2</sup>", "9^1 9[1] 9^1,2"),
        ("<p><sup>1</sup>Note", "1 Note"),
        ("the 1<sup>st</sup>, 2<sup>nd</sup>, 1<sup>er</sup>, <sup>14</sup>C", "the 1st, 2nd, 1er, 14C"),
        ("H<sub>2</sub>O CO<sub>2</sub> 10<sub>2</sub> log<sub>2</sub>8", "H2O CO2 10_2 log2 8"),
        ("5<sup>1</sup>/<sub>2</sub> <sup>3</sup>&frasl;<sub>4</sub>", "5 1/2 3\u20444"),
        ("3<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "3 1/2"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>", "(a + b)/2"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup><mo>=</mo><msqrt><mi>y</mi></msqrt></math>", "x^2 = √y"),
        ("<math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup></math>", "x_i^2"),
        ("<math><semantics><mn>1</mn><annotation>\\frac</annotation></semantics></math>", "1"),
        (
            "<span class=katex><span class=katex-mathml><math><mn>3</mn></math></span>"
            "<span class=katex-html aria-hidden=true>3</span></span> cups",
            "3 cups",
        ),
        ("tea: <script type='math/tex'>\\frac{1}{2}</script> cup", "tea: \\frac{1}{2} cup"),
        ("<span class=num>1</span><span class=den>2</span>", "1/2"),
        ("<span class=num>1</span><span class=sr-only>/</span><span class=den>2</span>", "1/2"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を", "漢字を"),
    ],
)
def test_numbers_and_formulas_stay_what_they_are(page: Page, markup: str, text: str) -> None:
    assert page(markup).text == text


@pytest.mark.parametrize(
    ("markup", "rows"),
    [
        ("<tr><td rowspan=2>Basic<td>DE<td>10<tr><td>FR<td>20", ["Basic | DE | 10", "Basic | FR | 20"]),
        ("<tr><td>a<td rowspan=2>b<td>c<tr><td>d<td>e", ["a | b | c", "d | b | e"]),
        ("<tr><td rowspan=3>x<td>1<tr><td rowspan=2>2<td>y<tr><td>z", ["x | 1", "x | 2 | y", "x | 2 | z"]),
        ("<tr><td rowspan=0>g<td>1<tr><td>2<tr><td>3", ["g | 1", "g | 2", "g | 3"]),
        ("<tr><td colspan=2>a<td>b<tr><td>1<td>2<td>3", ["a |  | b", "1 | 2 | 3"]),
        ("<tr><td rowspan=2 colspan=2>a<td>1<tr><td>2<tr><td>b<td>c<td>3", ["a |  | 1", "a |  | 2", "b | c | 3"]),
        (
            "<thead><tr><th rowspan=2>P<th colspan=2>Q<tr><th>r<th>s<tbody><tr><td>1<td>2<td>3",
            ["P | Q", "P | r | s", "1 | 2 | 3"],
        ),
        ("<tbody><tr><td rowspan=9>a<td>1<tbody><tr><td>b<td>2", ["a | 1", "b | 2"]),
        ("<tr><td><p>Fee<p>a month<td>5<tr><td><ul><li>b<li>c</ul><td>6", ["Fee a month | 5", "- b - c | 6"]),
        (
            "<tr><th>Key<th>Code<tr><td>a<td><pre>x = 1\ny = 2</pre><tr><td><h4>b</h4><td>z",
            ["Key | Code", "a | x = 1 y = 2", "b | z"],
        ),
        ("<tr><td rowspan=2><p>A<p>B<td>1<tr><td>2", ["A B | 1", "A B | 2"]),
    ],
)
def test_cells_keep_their_rows_and_columns(page: Page, markup: str, rows: list[str]) -> None:
    assert page(f"<table>{markup}</table>").text.split("\n") == rows


def test_tables_that_lay_out_a_page_are_no_rows(page: Page) -> None:
    text = "<p>" + "word " * 200
    assert page(f"<table><tr><td>menu<td>{text}{text}</table>").text.count("\n\n") == 2
    assert page("<table role=presentation><tr><td><p>left<p>more<td>right</table>").text == "left\n\nmore\n\nright"


def test_a_long_cell_is_not_said_again_and_many_rows_stay_small(page: Page) -> None:
    long = "long " * 100
    assert page(f"<table><tr><td rowspan=2>{long}<td>1<tr><td>2</table>").text.split("\n")[1] == " | 2"
    wide = page("<table><tr><td rowspan=99999>" + "y" * 300 + "<tr><td>1" * 9000 + "</table>").text
    assert len(wide) < 1_100_000
    many = page("<table><tr>" + "<td rowspan=0>a" * 1000 + "<tr><td>x" * 2000 + "</table>").text
    assert len(many) < 1_100_000
    assert many.count("x") == 2000  # no cell of its own is lost


def test_a_long_cell_does_not_use_up_what_others_may_repeat(page: Page) -> None:
    rows = "<tr><td>1" * 1500
    text = page(f"<table><tr><td rowspan=0>Basic<td rowspan=0>{'long ' * 400}<td>0{rows}</table>").text
    assert text.endswith("Basic |  | 1")


def test_a_formula_is_read_once_however_deep_it_nests(page: Page) -> None:
    deep = 40
    formula = "<mrow><mi>a</mi><mo>+</mo>" * deep + "<mi>b</mi>" + "</mrow>" * deep
    assert page(f"<p><math>{formula}</math>").text == "a + " * deep + "b"


def test_a_page_of_menus_alone_holds_no_text(page: Page) -> None:
    with pytest.raises(UnreadableDocument, match="holds no text"):
        page("<nav>menu</nav><div class=cookie-banner>We use cookies</div>")
    assert page("<nav>menu</nav>", "navigation").text == "menu"
