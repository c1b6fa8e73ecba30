//! Every limit of the ways in and out, named once.

/// A table or track file.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
/// What the parts of a workbook may unpack to.
pub const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;
/// Rows of a table, the header not counted.
pub const MAX_ROWS: usize = 200_000;
/// Columns of a table.
pub const MAX_COLUMNS: usize = 256;
/// One cell of a table, in bytes as read.
pub const MAX_CELL_BYTES: usize = 32 * 1024;
/// Characters of a cell that a reason repeats.
pub const MAX_SHOWN_CHARS: usize = 120;
/// Characters of a worksheet cell (ECMA-376; Excel refuses a file with more).
pub const MAX_SHEET_CELL_CHARS: usize = 32_767;
/// Rows of a worksheet, the header included.
pub const MAX_SHEET_ROWS: usize = 1_048_576;
/// Nesting of elements in a GPX file.
pub const MAX_XML_DEPTH: usize = 256;
