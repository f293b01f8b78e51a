"""What a prompt may be made of: text, images, documents, and what is refused before it costs a turn."""

import base64
import io
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from claude_nb import ContentError, DocumentBlock, ImageBlock, TextBlock, document_block, image_block, user_message
from claude_nb.engine import content, picture
from claude_nb.engine.content import messages, to_content


def png(size: tuple[int, int] = (2, 2), file: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, format=file)
    return buffer.getvalue()


PNG = png()
PNG64 = base64.b64encode(PNG).decode()
SOURCE = {"type": "base64", "media_type": "image/png", "data": PNG64}


def test_text_stays_text() -> None:
    assert to_content("hello") == "hello"


@pytest.mark.parametrize(
    "source",
    [PNG, bytearray(PNG), memoryview(PNG), f"data:image/png;base64,{PNG64}"],
    ids=["bytes", "bytearray", "memoryview", "data URL"],
)
def test_an_image_file_is_sent_as_it_is(source: object) -> None:
    assert image_block(source) == ImageBlock(source=SOURCE)


def test_an_image_is_read_from_a_path_given_as_text_or_as_path(tmp_path: Path) -> None:
    file = tmp_path / "plot"
    file.write_bytes(PNG)
    assert image_block(file) == image_block(str(file)) == ImageBlock(source=SOURCE)


def test_base64_text_comes_with_its_media_type() -> None:
    wrapped = PNG64[:20] + "\n" + PNG64[20:]
    assert image_block(wrapped, media_type="image/png") == ImageBlock(source=SOURCE)
    jpeg = base64.b64encode(png(file="JPEG")).decode()
    assert image_block(jpeg, media_type="image/jpg").source["media_type"] == "image/jpeg"


def test_an_image_may_be_left_where_it_is() -> None:
    url = "https://example.org/a.png"
    assert image_block(url) == ImageBlock(source={"type": "url", "url": url})


@pytest.mark.parametrize("picture", [Image.new("RGB", (3, 3)), Figure(figsize=(1, 1))], ids=["PIL", "figure"])
def test_pictures_among_objects_become_png(picture: object) -> None:
    assert image_block(picture).source["media_type"] == "image/png"
    assert to_content(picture) == [image_block(picture).model_dump()]


@pytest.mark.parametrize(
    ("source", "media_type", "words"),
    [
        (b"BM is a bitmap", None, "nothing that can be sent"),
        (PNG64[:-1], "image/png", "not base64"),
        (PNG64, "image/jpeg", "said to be image/jpeg, but it is image/png"),
        ("no/such/file.png", None, "cannot be read: No such file"),
        (object(), None, "An object of type object is nothing"),
    ],
)
def test_what_is_no_image_is_refused(source: object, media_type: str | None, words: str) -> None:
    with pytest.raises(ContentError, match=words):
        image_block(source, media_type=media_type)


def test_an_image_that_stays_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_BYTES", 10)
    with pytest.raises(ContentError, match="at most"):
        image_block(PNG)

    with pytest.raises(ContentError, match=r"^The image has \d\.\d MB, at most 0\.0 can be sent\.$"):
        image_block(Image.new("RGB", (2, 2)))


def opened(block: ImageBlock) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(block.source["data"])))
    assert f"image/{(image.format or '').lower()}" == block.source["media_type"]
    return image


def test_a_picture_whose_png_is_too_large_goes_as_jpeg() -> None:
    noise = Image.effect_noise((1500, 1500), 200).convert("RGBA")
    noise.putalpha(Image.effect_noise(noise.size, 200))
    buffer = io.BytesIO()
    noise.save(buffer, format="PNG")
    assert len(buffer.getvalue()) > picture.MAX_BYTES
    for source in (noise, buffer.getvalue()):
        assert opened(image_block(source)).format == "JPEG"


def test_a_photograph_that_is_too_large_stays_a_jpeg_and_upright() -> None:
    photograph = Image.effect_noise((3000, 2500), 200)
    exif = photograph.getexif()
    exif[274] = 6  # held upright
    buffer = io.BytesIO()
    photograph.save(buffer, format="JPEG", quality=100, exif=exif)
    assert len(buffer.getvalue()) > picture.MAX_BYTES
    sent = opened(image_block(buffer.getvalue()))
    assert (sent.format, sent.size) == ("JPEG", (1307, 1568))


def test_a_file_is_scaled_down_only_when_the_api_would_refuse_it(tmp_path: Path) -> None:
    at_most, too_long = png((8000, 2)), png((9000, 9))
    assert opened(image_block(at_most)).size == (8000, 2)
    file = tmp_path / "long.png"
    file.write_bytes(too_long)
    assert opened(image_block(file)).size == opened(image_block(too_long)).size == (1568, 2)


@pytest.mark.parametrize("mode", ["F", "I", "I;16"])
def test_wide_numbers_are_spread_over_black_to_white(mode: str) -> None:
    wide = Image.new(mode, (3, 1))
    for x, value in enumerate((1000, 1500, 2000)):
        wide.putpixel((x, 0), value)
    assert [opened(image_block(wide)).getpixel((x, 0)) for x in range(3)] == [0, 127, 255]


def test_a_broken_image_too_large_to_be_sent_is_refused() -> None:
    with pytest.raises(ContentError, match="cannot be scaled down"):
        image_block(png((9000, 9))[:60])


def test_documents_are_pdf_or_text(tmp_path: Path) -> None:
    paper, notes = tmp_path / "paper.pdf", tmp_path / "notes.md"
    paper.write_bytes(b"%PDF-1.7 ...")
    notes.write_text("# Grüße", encoding="utf-8")
    assert document_block(paper).source["media_type"] == "application/pdf"
    assert document_block(paper).title == "paper.pdf"
    assert document_block(notes, title="Notes") == DocumentBlock(
        source={"type": "text", "media_type": "text/plain", "data": "# Grüße"}, title="Notes"
    )
    assert document_block("https://example.org/a.pdf").source == {"type": "url", "url": "https://example.org/a.pdf"}


@pytest.mark.parametrize(("data", "words"), [(b"\xff\xfe\x00\x01", "no UTF-8 text"), (3, "made of int")])
def test_what_is_no_document_is_refused(data: object, words: str) -> None:
    with pytest.raises(ContentError, match=words):
        document_block(data)


def test_a_document_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_DOCUMENT", 5)
    with pytest.raises(ContentError, match="at most"):
        document_block(b"%PDF-1.7")


def test_pieces_of_all_kinds_make_one_prompt(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("inside")
    pieces = ["What?", TextBlock(text="typed"), {"type": "text", "text": "wire"}, PNG, file, ""]
    blocks = to_content(pieces)
    assert [block["type"] for block in blocks] == ["text", "text", "text", "image", "document"]
    assert blocks == to_content(iter(pieces)) == to_content(tuple(pieces))
    assert "title" not in to_content(document_block(b"plain"))[0]


def test_a_block_of_the_callers_own_is_checked_and_keeps_what_it_has() -> None:
    block = {"type": "image", "source": SOURCE, "cache_control": {"type": "ephemeral"}}
    assert to_content([block]) == [block]
    with pytest.raises(ContentError, match="not base64"):
        to_content([block | {"source": SOURCE | {"data": "?"}}])
    with pytest.raises(ContentError, match="needs a type"):
        to_content([{"text": "hello"}])


@pytest.mark.parametrize("prompt", [[], [""], iter(())])
def test_an_empty_prompt_is_refused(prompt: object) -> None:
    with pytest.raises(ContentError, match="empty"):
        to_content(prompt)


def test_a_list_of_user_messages_is_several_prompts_and_a_list_of_pieces_is_one() -> None:
    first, second = user_message("one"), user_message(["two", PNG], session_id="b")
    assert messages([first, second]) == [first, second]
    assert messages(first) == [first]
    assert len(messages(["one", "two"])) == 1
    assert first["message"] == {"role": "user", "content": "one"}
    assert second["session_id"] == "b"
    assert first["uuid"] != second["uuid"]
