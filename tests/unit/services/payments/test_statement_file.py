"""A statement is read line by line: M-Pesa's with everything that its exports have, and a plain one; wrong lines are named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.payments import statement_file
from services.payments.statement_file import StatementError, read_lines, read_summary

DHAKA = ZoneInfo("Asia/Dhaka")
MPESA_HEADER = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance Confirmed,"
    "Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)
GENERIC_HEADER = "receipt,time,amount,currency,direction,account"


@pytest.fixture
def write(tmp_path):
    def write_file(*lines, end="\n", start=""):
        path = tmp_path / "statement.csv"
        path.write_bytes((start + end.join(lines) + end).encode())
        return path

    return write_file


def read(path, statement_format="mpesa"):
    read_summary(path, statement_format, DHAKA)
    return list(read_lines(path, statement_format, DHAKA))


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_m_pesas_statement_is_read_with_its_preamble_blank_lines_and_thousands(write, start, end):
    payment, refund, charge, failed = read(
        write(
            "Organization Name,Ministry of Samples,,",
            "Short Code,174379",
            "",
            MPESA_HEADER,
            'SB70A49EDA,30-11-2026 14:05:09,30-11-2026 14:05:01,"Pay Bill from 254700000001 - R, B",Completed,"1,250.50",,'
            '"9,000.00",true,Pay Bill Online,254700000001 - R B,,1234 5678 9012',
            "",
            "SB70A49EDB,2026-11-30 15:00:00,,Reversal,Completed,,-200.00,8800.00,true,Pay Bill Reversal,,SB70A49EDA,",
            "SB70A49EDC,2026-11-30 15:00:01,,Charge,Completed,,30.00,8770.00,true,Business Pay Bill Charge,,,",
            "SB70A49EDD,2026-11-30 15:00:02,,Pay Bill,Failed,10.00,,,,Pay Bill Online,,,1",
            end=end,
            start=start,
        )
    )
    assert payment == statement_file.StatementLine(
        number=payment.number,
        receipt="SB70A49EDA",
        at=datetime(2026, 11, 30, 11, 5, 9, tzinfo=UTC),
        amount_minor=125050,
        currency="KES",
        direction="in",
        account="123456789012",
    )
    assert (refund.direction, refund.amount_minor, refund.linked, refund.other) == ("out", 20000, "SB70A49EDA", "")
    assert (charge.direction, charge.other) == ("out", "Business Pay Bill Charge")
    assert not failed.is_completed


def test_a_plain_statement_is_read_in_any_order_of_columns_and_times_without_offset_are_of_the_country(write):
    one, two = read(
        write(
            "account,currency,direction,amount,time,receipt,anything",
            "123456789012,BDT,in,50,2026-11-30 12:00:00,R1,x",
            ",BDT,debit,10.5,2026-11-30T12:00:00+00:00,R2,y",
        ),
        "generic",
    )
    assert (one.at, one.amount_minor) == (datetime(2026, 11, 30, 6, tzinfo=UTC), 5000)
    assert (two.at, two.amount_minor, two.direction) == (datetime(2026, 11, 30, 12, tzinfo=UTC), 1050, "out")


@pytest.mark.parametrize(
    ("statement_format", "line", "problem"),
    [
        ("mpesa", "SB1,31-02-2026 10:00:00,,,Completed,1,,,,,,,", "'31-02-2026 10:00:00' is not a time"),
        ("mpesa", "SB1,30-11-2026 10:00:00,,,Completed,,,,,,,,", "either Paid In or Withdrawn"),
        ("mpesa", "SB1,30-11-2026 10:00:00,,,Completed,1,2,,,,,,", "either Paid In or Withdrawn"),
        ("mpesa", "SB1,30-11-2026 10:00:00,,,Completed,ten,,,,,,,", "paid in: 'ten' is not an amount"),
        ("mpesa", ",30-11-2026 10:00:00,,,Completed,1,,,,,,,", "'' is not a receipt number"),
        ("generic", "R1,2026-11-30 10:00:00,1.005,BDT,in,", "more than two decimals"),
        ("generic", "R1,2026-11-30 10:00:00,1,BDT,up,", "direction 'up' is not known; write in or out"),
        ("generic", "R1,2026-11-30 10:00:00,1,taka,in,", "'TAKA' is not a currency"),
        ("generic", "R1,2026-11-30 10:00:00,,BDT,in,", "the amount is missing"),
        ("generic", "R 1 x,2026-11-30 10:00:00,1,BDT,in,", "is not a receipt number"),
    ],
)
def test_a_wrong_line_is_named_with_file_and_line(write, statement_format, line, problem):
    header = MPESA_HEADER if statement_format == "mpesa" else GENERIC_HEADER
    path = write(header, "", line)
    with pytest.raises(StatementError, match=problem) as error:
        read(path, statement_format)
    assert error.value.problems[0].startswith(f"{path}:3: ")


def test_at_most_twenty_wrong_lines_are_named(write):
    path = write(GENERIC_HEADER, *(["x,y,z,a,b,c"] * 30))
    with pytest.raises(StatementError) as error:
        read(path, "generic")
    assert len(error.value.problems) == 21
    assert "more lines may be wrong" in error.value.problems[-1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no line has the columns"),
        (b"Name,Phone\nJane,1\n", "no line has the columns receipt no., completion time"),
        (b"Receipt No.,Completion Time\nSB1,x\n", "the header has no column 'transaction status', 'paid in'"),
        ("﻿Receipt No.,Completion Time".encode("utf-16"), "no line has the columns"),
        (MPESA_HEADER.encode() + b'\nSB1,"30-11\n', "this is not CSV"),
    ],
)
def test_a_file_that_is_no_statement_is_refused_in_words(tmp_path, content, problem):
    path = tmp_path / "statement.csv"
    path.write_bytes(content)
    with pytest.raises(StatementError, match=problem):
        read(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(StatementError, match=r"none\.csv cannot be read: No such file"):
        read(tmp_path / "none.csv")


def test_a_name_in_another_encoding_does_not_matter(tmp_path):
    path = tmp_path / "statement.csv"
    path.write_bytes(MPESA_HEADER.encode() + b"\nSB1,30-11-2026 10:00:00,,caf\xe9,Completed,1,,,,,,,\n")
    assert [line.receipt for line in read(path)] == ["SB1"]
