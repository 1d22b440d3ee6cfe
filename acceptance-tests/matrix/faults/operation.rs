//! What is done with a resource while something goes wrong: together with its type, one row of the table each.

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An apply makes it.
    Create,
    /// A plan refreshes it.
    Read,
    /// An apply changes it in place.
    Update,
    /// An apply makes another one in its place, or gives it new data.
    Replace,
    /// It is destroyed.
    Delete,
    /// It is imported.
    Import,
}

/// What the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// As it is made first.
    Made,
    /// With what changes in place.
    Updated,
    /// With what does not.
    Replaced,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 6] =
        [Self::Create, Self::Read, Self::Update, Self::Replace, Self::Delete, Self::Import];

    /// What it is called in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Import => "import",
        }
    }

    /// What the configuration says after it, if it said `before` before.
    pub fn leads_from(self, before: Stage) -> Stage {
        let to = match self {
            Self::Update => Stage::Updated,
            Self::Replace => Stage::Replaced,
            _ => return Stage::Made,
        };
        if before == to { Stage::Made } else { to }
    }

    /// Whether what was there before is there afterwards, so that no plan may speak of making it.
    pub fn keeps(self) -> bool {
        matches!(self, Self::Read | Self::Update | Self::Import)
    }
}
