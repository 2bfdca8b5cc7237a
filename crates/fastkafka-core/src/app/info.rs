//! The app's description of itself.

/// Title, version and the like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppInfo {
    /// The app's name; a slug of it is the default group id.
    pub title: String,
    /// Its version.
    pub version: String,
    /// A description of its purpose.
    pub description: String,
    /// The person or team that is responsible.
    pub contact: Option<Contact>,
    /// The licence.
    pub license: Option<License>,
    /// The address of the terms of service.
    pub terms_of_service: Option<String>,
}

/// The person or team that is responsible for an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The name.
    pub name: Option<String>,
    /// The address of a page.
    pub url: Option<String>,
    /// The address for mail.
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
