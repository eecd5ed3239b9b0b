//! The file of `seatledger catalog import`: what feature codes are called.

use super::{Row, Sheet, normal};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use store::CatalogEntry;

const COLUMNS: [&str; 4] = ["feature", "product", "type", "price"];

/// Reads a catalog, of either shape: with a header that names the columns `feature`, `product` and, if there are any,
/// `type` and `price`, in any order; or a vendor's table of feature codes without a header, where a line is a product's
/// name, then its codes. Of a code that is there twice the later line counts, as the later file does for
/// [`store::Store::import_catalog`]. A file with a fault is refused as a whole.
pub(crate) fn read_catalog(path: &Path, input: &mut impl Read) -> anyhow::Result<Vec<CatalogEntry>> {
    let sheet = Sheet::read(path, input)?;
    let Some(first) = sheet.rows.first() else {
        let shapes =
            "write a header feature,product,type,price or lines of a product's name and its feature codes";
        return Err(sheet.wrong_file(&format!("the file is empty: {shapes}")));
    };
    let names: Vec<String> = first.fields.iter().map(|field| normal(field)).collect();
    let headed = names.iter().any(|name| name == "feature" || name == "product");
    let given = if headed { of_columns(&sheet)? } else { of_codes(&sheet)? };
    let mut entries: Vec<CatalogEntry> = Vec::new();
    let mut known = HashMap::new();
    for entry in given {
        match known.entry(entry.feature.clone()) {
            std::collections::hash_map::Entry::Occupied(place) => entries[*place.get()] = entry,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entries.len());
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// The shape with a header.
fn of_columns(sheet: &Sheet) -> anyhow::Result<Vec<CatalogEntry>> {
    let Some((header, rows)) = sheet.rows.split_first() else { return Ok(Vec::new()) };
    let [feature, product, product_type, price] = sheet.columns(header, COLUMNS)?;
    let entry = |row: &Row| -> anyhow::Result<CatalogEntry> {
        sheet.check_length(header, row)?;
        let filled = |column: Option<usize>, name: &str| {
            let empty = || sheet.wrong_field(row, name, "it is empty: fill it in or take the line out");
            row.text(column).ok_or_else(empty)
        };
        let entry = CatalogEntry {
            feature: filled(feature, "feature")?,
            product: filled(product, "product")?,
            product_type: row.text(product_type),
            price: row.text(price),
        };
        if let Some(price) = entry.price.as_deref().filter(|price| !is_amount(price)) {
            let remedy = "write an amount such as 1200 or 1200.50, without a currency";
            return Err(sheet.wrong_field(row, "price", &format!("`{price}` is no price: {remedy}")));
        }
        Ok(entry)
    };
    rows.iter().map(entry).collect()
}

/// The shape without a header: a product's name and its codes, among them blank ones.
fn of_codes(sheet: &Sheet) -> anyhow::Result<Vec<CatalogEntry>> {
    let mut entries = Vec::new();
    for row in &sheet.rows {
        let (product, codes) =
            row.fields.split_first().map_or(("", &[][..]), |(name, codes)| (name.as_str(), codes));
        if product.is_empty() {
            return Err(sheet.wrong(row, "no product before the feature codes: put its name first"));
        }
        let mut codes = codes.iter().filter(|code| !code.is_empty()).peekable();
        if codes.peek().is_none() {
            let remedy = "write the code behind the name, or take the line out";
            return Err(sheet.wrong(row, &format!("no feature code of `{product}`: {remedy}")));
        }
        for code in codes {
            if code.contains(char::is_whitespace) {
                let remedy = "a code has no blanks; put a name that holds the separator in quotes";
                return Err(sheet.wrong(row, &format!("`{code}` is no feature code: {remedy}")));
            }
            let product = product.split_whitespace().collect::<Vec<_>>().join(" ");
            entries.push(CatalogEntry { feature: code.clone(), product, product_type: None, price: None });
        }
    }
    Ok(entries)
}

/// Digits, and behind a point others.
pub(crate) fn is_amount(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').map_or_else(|| digits(text), |(whole, rest)| digits(whole) && digits(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Vec<CatalogEntry>> {
        read_catalog(Path::new("c.csv"), &mut text.as_bytes())
    }

    fn error(text: &str) -> String {
        read(text).expect_err(text).to_string()
    }

    /// `code: product` of each entry.
    fn names(text: &str) -> Vec<String> {
        let entries = read(text).unwrap_or_else(|error| panic!("{error}"));
        entries.into_iter().map(|entry| format!("{}: {}", entry.feature, entry.product)).collect()
    }

    #[test]
    fn a_catalog_may_have_a_header() {
        let entries =
            read("Product;Feature;Price;Type\nMill 5;mill5;1200.50;CAM\nTurn;turn;;\n").expect("a catalog");
        let mill = CatalogEntry {
            feature: "mill5".to_owned(),
            product: "Mill 5".to_owned(),
            product_type: Some("CAM".to_owned()),
            price: Some("1200.50".to_owned()),
        };
        let turn = CatalogEntry {
            feature: "turn".to_owned(),
            product: "Turn".to_owned(),
            product_type: None,
            price: None,
        };
        assert_eq!(entries, [mill, turn]);
        assert_eq!(names("feature,product\n"), [""; 0]);
    }

    #[test]
    fn tables_of_feature_codes_have_none() {
        let text = "Drafter 2031,90001DRAFT_2031_0F,70000DRAFT_F,70000DRAFT_T_F\r\n\
                    Drafter LT 2031 for Mac, ,70020DRAFTLT_F,\u{a0}\r\n\
                    \r\n\
                    \"Pipes, Valves & Roads \u{2013} 2031\", \"90003PIPES_2031_0F\" , \r\n\
                    Rental\u{a0}Drafter  2031,70000DRAFT_T_F";
        assert_eq!(
            names(text),
            [
                "90001DRAFT_2031_0F: Drafter 2031",
                "70000DRAFT_F: Drafter 2031",
                "70000DRAFT_T_F: Rental Drafter 2031",
                "70020DRAFTLT_F: Drafter LT 2031 for Mac",
                "90003PIPES_2031_0F: Pipes, Valves & Roads \u{2013} 2031",
            ]
        );
        assert_eq!(names("\u{feff}Drafter;D_1;D_2\n"), ["D_1: Drafter", "D_2: Drafter"]);
    }

    #[test]
    fn faults_are_told_with_their_line_and_what_would_be_right() {
        let blanks = "a code has no blanks; put a name that holds the separator in quotes";
        assert_eq!(
            error("A,A_1\nB, C 2031,B_1\n"),
            format!("c.csv:2: `C 2031` is no feature code: {blanks}")
        );
        assert_eq!(
            error("A,A_1\n\nB, \n"),
            "c.csv:3: no feature code of `B`: write the code behind the name, or take the line out"
        );
        assert_eq!(error(",A_1\n"), "c.csv:1: no product before the feature codes: put its name first");
        assert_eq!(
            error("feature,product,price\na,A,12 CHF\n"),
            "c.csv:2: column `price`: `12 CHF` is no price: write an amount such as 1200 or 1200.50, without a currency"
        );
        assert_eq!(
            error("feature,product\na,\n"),
            "c.csv:2: column `product`: it is empty: fill it in or take the line out"
        );
        assert_eq!(error("feature,produkt\n"), "c.csv:1: unknown column `produkt`: did you mean `product`?");
        assert_eq!(
            error("\n"),
            "c.csv: the file is empty: write a header feature,product,type,price or lines of a product's name and its feature codes"
        );
    }
}
