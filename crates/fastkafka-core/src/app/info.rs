//! The app's description of itself.

/// Title, version and the like: what the app says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppInfo {
    /// Its name; a slug of it is the default group id.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it does.
    pub description: String,
    /// Who answers for it.
    pub contact: Option<Contact>,
    /// Under which licence it may be used.
    pub license: Option<License>,
    /// Where the terms of service are.
    pub terms_of_service: Option<String>,
}

/// Who answers for an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// A person or a team.
    pub name: Option<String>,
    /// Where to read on.
    pub url: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
}

/// A licence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct License {
    /// Its name, such as `Apache-2.0`.
    pub name: String,
    /// Its text.
    pub url: Option<String>,
}
