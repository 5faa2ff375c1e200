"""Tables as files for spreadsheets: CSV written while it is sent, XLSX in constant memory.

A spreadsheet runs any text that begins like a formula, and anybody can type one into our forms. So
such texts get an apostrophe before them (owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import IO

import xlsxwriter

from conference.desk.tables import Cell, Table

# What is no character at all, which no XML, and so no workbook, may contain.
_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BEGINS_A_FORMULA = frozenset("=+-@")
_BEGINS_A_CELL = frozenset("\t\r\n")
# Excel takes a CSV file for UTF-8 only if it begins with this.
_BYTE_ORDER_MARK = "\ufeff"
_ROWS_AT_ONCE = 500


def harmless(text: str) -> str:
    """The text, so that a spreadsheet shows it and does not run it.

    Full-width and other forms of = + - @ count, and so do those behind spaces and invisible
    characters, which some programs drop, and behind a semicolon, where some begin another cell.
    """
    text = _NO_CHARACTERS.sub("\ufffd", text)
    return ";".join(f"'{part}" if _is_formula(part) else part for part in text.split(";"))


def _is_formula(text: str) -> bool:
    if text[:1] in _BEGINS_A_CELL:
        return True
    seen = next((c for c in text if unicodedata.category(c)[0] not in "ZC"), "")
    return unicodedata.normalize("NFKC", seen)[:1] in _BEGINS_A_FORMULA


def csv_chunks(table: Table) -> Iterator[bytes]:
    """The table as CSV in UTF-8, a few hundred rows at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(_BYTE_ORDER_MARK)
    writer.writerow(harmless(heading) for heading in table.headings)
    rows = iter(table.rows)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        writer.writerows([_as_text(cell) for cell in row] for row in some)
        yield _emptied(buffer)
    yield _emptied(buffer)


def xlsx_file(table: Table, *, name: str) -> IO[bytes]:
    """The table as a workbook with one sheet called `name`: a temporary file, gone once closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (whoever sends it closes it)
    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    money = book.add_format({"num_format": "0.00"})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(table.headings) - 1, 20)
    for column, heading in enumerate(table.headings):
        sheet.write_string(0, column, harmless(heading), bold)
    for number, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, harmless(cell))
            elif isinstance(cell, datetime):
                sheet.write_datetime(number, column, cell, time)
            elif isinstance(cell, Decimal):
                sheet.write_number(number, column, cell, money)
            elif cell is not None:
                sheet.write_number(number, column, cell)
    book.close()
    file.seek(0)
    return file


def _as_text(cell: Cell) -> str:
    if isinstance(cell, str):
        return harmless(cell)
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes")
    return str(cell)


def _emptied(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
