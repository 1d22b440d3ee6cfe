//! What is known of an attribute while a plan is made.

/// What is known of an attribute. A rule stays silent where that is not enough; it is asked again when more is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// It will be set, or not, by something that is made in the same apply.
    #[default]
    Unknown,
    /// It is left out.
    Unset,
    /// It is this.
    Is(T),
}

impl<T> Given<T> {
    /// The value, if it is known and set.
    pub fn value(&self) -> Option<&T> {
        if let Self::Is(value) = self { Some(value) } else { None }
    }
}

/// Whether one of several spellings of a thing is set, if that is certain.
pub fn any_set<const N: usize>(spellings: [Option<bool>; N]) -> Option<bool> {
    if spellings.contains(&Some(true)) {
        Some(true)
    } else if spellings.contains(&None) {
        None
    } else {
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_is_enough_and_one_unknown_leaves_it_open() {
        assert_eq!(any_set([Some(false), Some(true), None]), Some(true));
        assert_eq!(any_set([Some(false), None]), None);
        assert_eq!(any_set([Some(false), Some(false)]), Some(false));
    }
}
