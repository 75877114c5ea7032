"""What MkDocs cannot do by itself for this site; `mkdocs.yml` names it.

- Pages that live elsewhere in the repository, and those made from the code, are shown where they
  are linked, never copied.
- `<!-- code: muscall.losses.infonce.infonce -->` and `<!-- file: examples/search_folder.py -->`
  become that code, so that what is shown is what runs.
- Formulas as GitHub writes them, ```math and $`...`$, become MathML: no script is needed.
"""

from __future__ import annotations

import ast
import os
import re
import textwrap
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "muscall"
ELSEWHERE = {
    "assets/logo.svg": "src/muscall/serving/page/logo.svg",
    "benchmarks.md": "benchmarks/README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "corpus.md": "recipes/corpus/README.md",
    "datasheet.md": "recipes/corpus/DATASHEET.md",
}
links: dict[str, set[str]] = {}
"""External addresses, and the pages that link them."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and write out the stars of the navigation."""
    links.clear()
    sources = {name: ROOT / path for name, path in ELSEWHERE.items()}
    # Few systems have a font that knows where an index or the limits of a sum belong.
    math = Path(metadata.distribution("ziamath").locate_file("ziamath"))
    sources["assets/math.ttf"] = math / "fonts" / "STIXTwoMath-Regular.ttf"
    for card in (*PACKAGE.glob("weights/*/README.md"), *ROOT.glob("weights/*/README.md")):
        sources[f"cards/{card.parent.name}.md"] = card
    for name, path in sources.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    files.append(File.generated(config, "commands.md", content=commands()))
    for package, modules in public_modules().items():
        text = reference(package, modules)
        files.append(File.generated(config, f"reference/{package}.md", content=text))
    pages = sorted(file.src_uri for file in files.documentation_pages())
    config.nav = [
        {title: [page for item in items for page in expanded(item, items, pages)]}
        for section in config.nav or []
        for title, items in section.items()
    ]
    return files


def expanded(item: str, items: list[str], pages: list[str]) -> list[str]:
    """An entry of the navigation, or the pages for which its star stands and no other entry."""
    if "*" not in item:
        return [item]
    return [page for page in pages if fnmatch(page, item) and page not in items]


def public_modules() -> dict[str, list[str]]:
    """Packages by their name, `muscall` for the modules in none, and the modules of each."""
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        package = name.split(".")[1] if path.parent != PACKAGE else "muscall"
        if path.stem != "__main__":
            found.setdefault(package, []).append(name.removesuffix(".__init__"))
    return found


def reference(package: str, modules: list[str]) -> str:
    """The page of a package. Of what it takes from its modules only the originals are shown."""
    title = package if package == "muscall" else f"muscall.{package}"
    entries = [f"---\ntitle: {title}\n---\n"]
    for module in modules:
        path = PACKAGE.parent / module.replace(".", "/")
        entries.append(f"::: {module}")
        if path.is_dir():
            level = 1 if module == title else 2
            entries.append(f"    options: {{heading_level: {level}, members: false}}")
        if module == "muscall":
            entries.append(exported())
    return "\n".join(entries)


def exported() -> str:
    """What `import muscall` gives, and where it is told of."""
    import muscall

    found = [getattr(muscall, name) for name in muscall.__all__ if name != "__version__"]
    return "\n" + "\n".join(
        f"- [`muscall.{one.__name__}`][{one.__module__}.{one.__name__}]: "
        f"{one.__doc__.partition(chr(10))[0]}"
        for one in found
    )


def commands() -> str:
    """What `muscall COMMAND --help` says, of all commands."""
    import typer
    from typer.cli import get_docs_for_click

    from muscall.cli.main import app

    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="muscall")
    text = get_docs_for_click(obj=command, ctx=context, name="muscall", title="Commands")
    # Its list of commands is cut off in the middle of sentences, and stands beside it anyway.
    return re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", text)


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Resolve links out of docs/, insert code, and set formulas."""
    if page.file.src_uri.startswith("cards/"):
        page.meta["title"] = f"Model card: {Path(page.file.src_uri).stem}"
    if source := page.file.abs_src_path:
        known = {file.abs_src_path: file.src_uri for file in files if file.abs_src_path}
        markdown = re.sub(
            r"\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)",
            lambda link: relinked(link, Path(source).parent, page.file.src_uri, known),
            markdown,
        )
    markdown = re.sub(r"<!-- code: (\S+) -->", lambda found: code(found[1]), markdown)
    markdown = re.sub(r"<!-- file: (\S+) -->", lambda found: whole_file(found[1]), markdown)
    markdown = re.sub(
        r"^```math\n(.*?)^```$",
        lambda found: f'<div class="formula">{convert(found[1].strip(), display="block")}</div>',
        markdown,
        flags=re.DOTALL | re.MULTILINE,
    )
    # In a span, as a formula at the beginning of a line would become a paragraph of its own.
    return re.sub(r"\$`([^`]+)`\$", lambda found: f"<span>{convert(found[1])}</span>", markdown)


def relinked(link: re.Match[str], folder: Path, page: str, known: dict[str, str]) -> str:
    """A link to a file of the repository: to its page, to its reference, or text if it has none."""
    label, href, anchor = link[1], link[2], link[3] or ""
    target = Path(os.path.normpath(folder / href))
    if not target.exists() or not target.is_relative_to(ROOT):
        return link[0]
    if target == ROOT / "README.md":
        found = "index.md"
    elif target.suffix == ".py" and target.is_relative_to(PACKAGE):
        module = ".".join(target.relative_to(PACKAGE.parent).with_suffix("").parts)
        return f"[{label}][{module}]"
    else:
        readme = target / "README.md" if target.is_dir() else target
        if str(readme) not in known:
            return label
        found = known[str(readme)]
    return f"[{label}]({os.path.relpath(found, Path(page).parent)}{anchor})"


def code(name: str) -> str:
    """A fence with a function, class or method as it is, without its docstring."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        path = PACKAGE.parent.joinpath(*parts[:length]).with_suffix(".py")
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            node: Any = ast.parse(text)
            for wanted in parts[length:]:
                inside = [child for child in node.body if getattr(child, "name", "") == wanted]
                if not inside:
                    raise PluginError(f"{name}: there is no {wanted} in {path.name}")
                node = inside[0]
            lines = text.splitlines()
            first, last = node.lineno, node.end_lineno
            if ast.get_docstring(node) is not None:
                said = node.body[0]
                lines[said.lineno - 1 : said.end_lineno] = []
                last -= said.end_lineno - said.lineno + 1
            shown = textwrap.dedent("\n".join(lines[first - 1 : last])).replace(":\n\n", ":\n", 1)
            return fence(shown, str(path.relative_to(ROOT)))
    raise PluginError(f"{name}: there is no such module")


def whole_file(path: str) -> str:
    """A program: what it says about itself, and a fence with the rest."""
    text = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(text)
    rest = "\n".join(text.splitlines()[tree.body[0].end_lineno :])
    return f"{ast.get_docstring(tree)}\n\n{fence(rest.strip(), path)}"


def fence(text: str, title: str) -> str:
    return f'```python title="{title}"\n{text}\n```'


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Put drawings into the page, where they follow its colours; note external links."""
    for link in re.findall(r'href="(https?://[^"]+)"', html):
        links.setdefault(link, set()).add(page.file.src_uri)

    def inline(found: re.Match[str]) -> str:
        drawing = Path(config.docs_dir, "pictures", found[2]).read_text(encoding="utf-8")
        return f'<span class="picture" role="img" aria-label="{found[1]}">{drawing}</span>'

    # An interval stays on one line.
    html = re.sub(r"\([\d.+]+(-| to )[\d.+]+\)(?=</td>)", r'<span class="whole">\g<0></span>', html)
    return re.sub(r'<img alt="([^"]*)" src="[^"]*pictures/([\w-]+\.svg)"[^>]*>', inline, html)


def on_post_build(config: MkDocsConfig) -> None:
    """List the external links; nobody follows them here."""
    lines = [f"{link}\t{' '.join(sorted(pages))}\n" for link, pages in sorted(links.items())]
    Path(config.site_dir, "links.txt").write_text("".join(lines), encoding="utf-8")
