"""a workbook written and read, with styles, formulas and a chart."""
# /// script
# dependencies = ["openpyxl", "pillow"]
# ///

import datetime
import zipfile

import openpyxl
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

book = openpyxl.Workbook()
sheet = book.active
for row in (["name", "value"], ["a", 1], ["b", 2.5], ["when", datetime.date(2024, 2, 29)]):
    sheet.append(row)
sheet["A1"].font = Font(bold=True)
sheet["B5"] = "=SUM(B2:B3)"
chart = BarChart()
chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
sheet.add_chart(chart, "D2")
book.save("book.xlsx")
print(sorted(zipfile.ZipFile("book.xlsx").namelist()))
again = openpyxl.load_workbook("book.xlsx")
print(
    [[cell.value for cell in row] for row in again.active.iter_rows()], again.active["A1"].font.b, get_column_letter(30)
)
try:
    openpyxl.load_workbook("nothing.txt")
except openpyxl.utils.exceptions.InvalidFileException as error:
    print(str(error)[:40])
