"""Values as the model sees them: pictures, tables, arrays, capped text, and the list of variables."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import matplotlib as mpl
import numpy
import pandas
import pytest
from IPython.display import Image as NotebookImage
from matplotlib.figure import Figure
from PIL import Image

from claude_nb.engine import picture as pictures
from claude_nb.kernel.namespace import describe
from claude_nb.kernel.values import Limits, is_rich, show_value

mpl.use("agg")


def picture(size: tuple[int, int] = (4, 3), mode: str = "RGB", file: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format=file)
    return buffer.getvalue()


def opened(value: Any) -> Image.Image:
    """The image that the block for `value` holds."""
    shown = show_value(value)
    assert shown.kind == "image"
    assert shown.image is not None
    source = shown.image["source"]
    image = Image.open(io.BytesIO(base64.b64decode(source["data"])))
    assert f"image/{(image.format or '').lower()}" == source["media_type"]
    return image


@pytest.mark.parametrize("file", ["PNG", "JPEG", "GIF", "WEBP"])
def test_bytes_of_an_image_file_are_sent_as_they_are(file: str) -> None:
    data = picture(file=file)
    shown = show_value(data)
    assert shown.image is not None
    assert base64.b64decode(shown.image["source"]["data"]) == data
    assert opened(data).format == file


def test_other_bytes_are_text() -> None:
    assert show_value(b"BM not an image we may send").kind == "text"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "P", "CMYK", "F", "I;16"])
def test_pil_images_of_every_mode_become_png(mode: str) -> None:
    assert opened(Image.new(mode, (4, 3))).size == (4, 3)


def test_large_pil_images_are_scaled_down() -> None:
    assert opened(Image.new("RGB", (4000, 1000))).size == (1568, 392)


def test_figures_axes_and_subfigures_become_png() -> None:
    figure = Figure(figsize=(3, 2))
    left, right = figure.subfigures(1, 2)
    for value in (figure, left.subplots(), right):
        assert opened(value if value is not right else right.subplots()).width > 10


def test_a_huge_figure_is_drawn_small_enough() -> None:
    assert max(opened(Figure(figsize=(200, 10))).size) <= pictures.MAX_EDGE + 10


def test_ipython_images_are_sent_by_content_or_by_address() -> None:
    assert opened(NotebookImage(data=picture())).size == (4, 3)
    remote = show_value(NotebookImage(url="https://example.org/a.png"))
    assert remote.image == {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}


def test_image_files_too_large_to_send_are_scaled_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 1000)
    noise = Image.effect_noise((3000, 30), 100).convert("1")
    buffer = io.BytesIO()
    noise.save(buffer, format="PNG")
    assert len(buffer.getvalue()) > 1000
    with pytest.raises(ValueError, match="at most"):
        show_value(buffer.getvalue())
    buffer = io.BytesIO()
    Image.new("RGB", (3000, 300)).save(buffer, format="PNG", compress_level=0)
    assert opened(buffer.getvalue()).width == 1568


def test_a_data_frame_is_capped_in_rows_columns_and_cells() -> None:
    frame = pandas.DataFrame({f"c{n}": range(100) for n in range(5)} | {"s": ["x" * 200] * 100})
    text = show_value(frame, Limits(rows=2, columns=4, cell=20)).text
    assert text.splitlines() == [
        "DataFrame, 100 rows × 6 columns",
        "|  | c0 (int64) | c1 (int64) | c2 (int64) | c3 (int64) |",
        "| --- | --- | --- | --- | --- |",
        "| 0 | 0 | 0 | 0 | 0 |",
        "| 1 | 1 | 1 | 1 | 1 |",
        "(columns 5 to 6 not shown: c4 (int64), s (str))",
        "(first 2 of 100 rows)",
    ]
    narrow = show_value(frame[["s"]], Limits(rows=1, cell=20)).text
    assert "| 0 | " + "x" * 19 + "… |" in narrow


def test_empty_frames_repeated_names_and_deep_headers_are_shown() -> None:
    assert show_value(pandas.DataFrame()).text.startswith("DataFrame, 0 rows × 0 columns")
    assert "| 0 | 1 | 2 |" in show_value(pandas.DataFrame([[1, 2]], columns=["a", "a"])).text
    deep = pandas.DataFrame([[1]], columns=pandas.MultiIndex.from_tuples([("a", "b")]))
    assert "|  | a / b (int64) |" in show_value(deep).text


def test_an_index_has_a_column_for_each_level_with_its_name() -> None:
    frame = pandas.DataFrame({"region": ["north", "south"], "day": pandas.to_datetime(["2020-01-01"] * 2), "x": [1, 2]})
    by_region = frame.groupby("region")[["x"]].sum()
    assert show_value(by_region).text.splitlines()[1::2] == ["| region (str) | x (int64) |", "| north | 1 |"]
    assert show_value(by_region.x).text.splitlines()[1::2] == ["| region (str) | x |", "| north | 1 |"]
    deep = frame.groupby(["region", "day"]).agg({"x": ["sum", "max"]})
    day = frame.day.dtype
    assert show_value(deep).text.splitlines() == [
        "DataFrame, 2 rows × 2 columns",
        f"| region (str) | day ({day}) | x / sum (int64) | x / max (int64) |",
        "| --- | --- | --- | --- |",
        "| north | 2020-01-01 | 1 | 1 |",
        "| south | 2020-01-01 | 2 | 2 |",
    ]
    of_two = show_value(deep[("x", "sum")]).text.splitlines()
    assert of_two[:2] == ["Series 'x / sum', 2 values of int64", f"| region (str) | day ({day}) | x / sum |"]
    unnamed = pandas.DataFrame({"x": [1]}, index=pandas.MultiIndex.from_tuples([("a", 1)]))
    assert show_value(unnamed).text.splitlines()[1::2] == ["|  |  | x (int64) |", "| a | 1 | 1 |"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234567.0, "1234567"),
        (123456789012.0, "123456789012"),
        (12345678901.25, "12345678901.25"),
        (0.1 + 0.2, "0.3"),
        (2.0**60, "1.15292150460685e+18"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (pandas.Timestamp("2020-01-01"), "2020-01-01"),
        (pandas.Timestamp("2020-01-01 12:30"), "2020-01-01 12:30:00"),
        (pandas.NaT, "NaT"),
    ],
)
def test_numbers_and_times_in_a_table_are_whole_and_short(value: Any, shown: str) -> None:
    assert f"| 0 | {shown} |" in show_value(pandas.DataFrame({"c": [value]})).text


def test_a_series_has_its_name_length_and_type() -> None:
    text = show_value(pandas.Series([1, 2, 3], index=["a", "b", "c"], name="n"), Limits(rows=2)).text
    assert text.splitlines() == [
        "Series 'n', 3 values of int64", "|  | n |", "| --- | --- |", "| a | 1 |", "| b | 2 |",
        "(first 2 of 3 rows)",
    ]  # fmt: skip


class FakePolars:
    """What is used of polars: the same words as pandas for some things, its own for others."""

    class DataFrame:
        __module__ = "polars.dataframe.frame"
        shape, columns, dtypes = (3, 2), ["a", "b"], ["Int64", "String"]

        def __getitem__(self, part: tuple[slice, slice]) -> FakePolars.DataFrame:
            assert part == (slice(None, 2), slice(None, 2))
            return self

        def iter_rows(self) -> list[tuple[int, str]]:
            return [(1, "x"), (2, "y")]

    class Series:
        __module__ = "polars.series.series"
        name, dtype = "n", "Int64"

        def __len__(self) -> int:
            return 3

        def head(self, rows: int) -> FakePolars.Series:
            return self

        def to_list(self) -> list[int]:
            return [5, 6]


def test_polars_frames_and_series_are_tables_too() -> None:
    assert show_value(FakePolars.DataFrame(), Limits(rows=2)).text.splitlines() == [
        "DataFrame, 3 rows × 2 columns",
        "| a (Int64) | b (String) |",
        "| --- | --- |",
        "| 1 | x |",
        "| 2 | y |",
        "(first 2 of 3 rows)",
    ]
    assert "| 1 | 6 |" in show_value(FakePolars.Series(), Limits(rows=2)).text


def test_arrays_have_type_and_shape_and_numbers_are_plain() -> None:
    shown = show_value(numpy.zeros((1000, 3)))
    assert shown.text.startswith("ndarray of float64, shape (1000, 3)\n[[0. 0. 0.]")
    assert len(shown.text) < 200
    assert show_value(numpy.float64(1.5)).text == "1.5"
    assert not is_rich(numpy.float64(1.5))
    assert is_rich(numpy.zeros(2))


def test_the_variables_are_the_users_with_shape_length_or_signature() -> None:
    class Odd:
        def __len__(self) -> int:
            raise RuntimeError

    def double(x: int) -> int:
        return 2 * x

    namespace = {
        "In": [], "Out": {}, "_": 1, "_private": 2, "pandas": pandas, "secret": 1,
        "df": pandas.DataFrame({"a": [1, 2]}), "arr": numpy.zeros((2, 3)), "names": ["x", "y"],
        "n": 5, "double": double, "Odd": Odd, "odd": Odd(),
    }  # fmt: skip
    assert [str(variable) for variable in describe(namespace, hidden={"secret"})] == [
        "df: DataFrame (2, 1)",
        "arr: ndarray (2, 3) float64",
        "names: list (2)",
        "n: int",
        "double: function (x: 'int') -> 'int'",
        "Odd: type",
        "odd: Odd",
    ]
