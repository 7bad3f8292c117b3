//! The header of a .npy: a Python dictionary of three keys. `numpy/lib/format.py` says what may stand in it.

/// What a .npy begins with, before the version of its format.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// What the header says of the array behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The dtype as NumPy writes it: byte order, kind and size, as in `<f4`.
    pub descr: String,
    pub order: Order,
    pub shape: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    C,
    Fortran,
}

/// Why a text is no header of a plain array.
#[derive(Debug, PartialEq)]
pub enum Fault {
    /// Its dtype is a list of fields.
    Structured,
    Unreadable(&'static str),
}

const NO_DICTIONARY: Fault = Fault::Unreadable("it is no Python dictionary");
const NO_SIZES: Fault = Fault::Unreadable("its shape is not of whole numbers from 0 to 2^64");

impl Header {
    /// Of a key that comes twice the last one counts, as in Python. NumPy has to read every text that is taken here; of
    /// the spellings that Python knows, these are those in which programs write headers.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut text = Scanner { rest: text };
        let (mut descr, mut order, mut shape) = (None, None, None);
        if !text.take("{") {
            return Err(NO_DICTIONARY);
        }
        while !text.take("}") {
            let key = text.string();
            if key.is_some() && !text.take(":") {
                return Err(NO_DICTIONARY);
            }
            match key {
                Some("descr") => descr = Some(text.descr()?),
                Some("fortran_order") => order = Some(text.order()?),
                Some("shape") => shape = Some(text.shape()?),
                _ => {
                    let reason = "it has keys besides descr, fortran_order and shape";
                    return Err(Fault::Unreadable(reason));
                }
            }
            if !text.take(",") && !text.at("}") {
                return Err(NO_DICTIONARY);
            }
        }
        if !text.at_end() {
            return Err(NO_DICTIONARY);
        }
        Ok(Self {
            descr: descr.ok_or(Fault::Unreadable("it has no descr"))?,
            order: order.ok_or(Fault::Unreadable("it has no fortran_order"))?,
            shape: shape.ok_or(Fault::Unreadable("it has no shape"))?,
        })
    }

    /// The beginning of a file of version 1.0, as NumPy writes it: its length is a multiple of 64 bytes, so that a
    /// program may map the data behind it.
    ///
    /// # Panics
    /// If the header is longer than 65,535 bytes, which no 64 dimensions are.
    pub fn to_bytes(&self) -> Vec<u8> {
        let order = match self.order {
            Order::C => "False",
            Order::Fortran => "True",
        };
        let sizes = match &self.shape[..] {
            [one] => format!("{one},"),
            all => all
                .iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let descr = &self.descr;
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({sizes}), }}");
        let mut bytes = [MAGIC, &[1, 0]].concat();
        let before = bytes.len() + size_of::<u16>();
        let length = (before + text.len() + 1).next_multiple_of(64) - before;
        bytes.extend(u16::try_from(length).expect("a short header").to_le_bytes());
        bytes.extend(format!("{text:<0$}\n", length - 1).as_bytes());
        bytes
    }
}

/// The part of the text that is still to be read.
struct Scanner<'t> {
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn at(&mut self, token: &str) -> bool {
        self.skip_space();
        self.rest.starts_with(token)
    }

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    /// Whether `token` comes next; it is read if so.
    fn take(&mut self, token: &str) -> bool {
        let comes = self.at(token);
        if comes {
            self.rest = &self.rest[token.len()..];
        }
        comes
    }

    /// A string in quotes. No program has a reason to write a backslash into one of these.
    fn string(&mut self) -> Option<&'t str> {
        self.skip_space();
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|c| ['\'', '"'].contains(c))?;
        let (string, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest;
        (!string.contains(['\\', '\n', '\r'])).then_some(string)
    }

    /// A name or a number.
    fn word(&mut self) -> &'t str {
        self.skip_space();
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && !"_.+-".contains(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn descr(&mut self) -> Result<String, Fault> {
        if self.at("[") {
            return Err(Fault::Structured);
        }
        let descr = self.string();
        let descr = descr.ok_or(Fault::Unreadable("its descr is no string"))?;
        let mut chars = descr.chars();
        let known = chars.next().is_some_and(|c| "<>|".contains(c))
            && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_graphic());
        known
            .then(|| descr.to_owned())
            .ok_or(Fault::Unreadable("its descr is unknown"))
    }

    fn order(&mut self) -> Result<Order, Fault> {
        match self.word() {
            "True" => Ok(Order::Fortran),
            "False" => Ok(Order::C),
            _ => Err(Fault::Unreadable(
                "its fortran_order is neither True nor False",
            )),
        }
    }

    fn shape(&mut self) -> Result<Vec<u64>, Fault> {
        let no_tuple = Fault::Unreadable("its shape is no tuple");
        if !self.take("(") {
            return Err(no_tuple);
        }
        let mut shape = Vec::new();
        while !self.take(")") {
            shape.push(self.size()?);
            if !self.take(",") {
                // One number in brackets is that number.
                let ends = self.take(")");
                return if ends && shape.len() > 1 {
                    Ok(shape)
                } else {
                    Err(no_tuple)
                };
            }
        }
        Ok(shape)
    }

    /// A number as Python writes it: without a zero before it, and from Python 2 perhaps an L behind it.
    fn size(&mut self) -> Result<u64, Fault> {
        let word = self.word();
        let digits = word.strip_suffix('L').unwrap_or(word);
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        if !plain || digits.len() > 1 && digits.starts_with('0') {
            return Err(NO_SIZES);
        }
        digits.parse().map_err(|_| NO_SIZES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(shape: &[u64]) -> Header {
        Header {
            descr: "<f4".into(),
            order: Order::C,
            shape: shape.into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let most = [u64::MAX; 64];
        for shape in [&[][..], &[7], &[0, 3], &[1, 2, 3, 4], &most] {
            for order in [Order::C, Order::Fortran] {
                let written = Header {
                    order,
                    ..header(shape)
                };
                let bytes = written.to_bytes();
                assert_eq!(bytes.len() % 64, 0);
                let length = u16::from_le_bytes([bytes[8], bytes[9]]);
                assert_eq!(bytes.len(), 10 + usize::from(length));
                let text = std::str::from_utf8(&bytes[10..]).unwrap();
                assert!(text.ends_with('\n'));
                assert_eq!(Header::parse(text), Ok(written));
            }
        }
    }

    #[test]
    fn other_spellings() {
        for text in [
            "{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
            "{'shape': (2L, 3L), 'fortran_order': False, 'descr': '<f4'}  \n",
            " {\"shape\": (9,), \"descr\": \"<f4\", 'fortran_order': False,\n\t'shape': ( 2 , 3 , ) , } ",
        ] {
            assert_eq!(Header::parse(text), Ok(header(&[2, 3])), "{text}");
        }
    }

    #[test]
    fn what_python_refuses() {
        let shape = |text| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {text}}}");
        for text in [
            "(0_4,)", "(04,)", "(4 4,)", "(,)", "(2,,)", "(2, 3", "(L,)", "(+2,)", "2, 3",
        ] {
            let text = shape(text);
            assert!(Header::parse(&text).is_err(), "{text}");
        }
        let good = shape("(3,)");
        assert_eq!(Header::parse(&good), Ok(header(&[3])));
        for end in 0..good.len() {
            assert!(Header::parse(&good[..end]).is_err(), "{}", &good[..end]);
        }
        for text in [
            format!("{good}}}"),
            format!("{good} x"),
            good.replace(", ", " "),
            good.replace(':', ""),
        ] {
            assert!(Header::parse(&text).is_err(), "{text}");
        }
    }
}
