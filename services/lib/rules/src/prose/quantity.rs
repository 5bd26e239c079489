//! The quantities of requests that prose states.

use serde::Deserialize;

/// The quantity that a claim states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quantity {
    /// 收到、受理: this year's requests, with or without those carried in.
    Received,
    /// 新收: this year's requests.
    NewlyReceived,
    /// 办结、答复
    Handled,
    /// 办理、处理: requests that were handled or are being handled.
    Worked,
    /// 上年结转
    CarriedIn,
    /// 结转下年、顺延
    CarriedOut,
    /// 予以公开
    Granted,
    /// 部分公开
    PartiallyGranted,
    /// 予以公开及部分公开 as one number.
    GrantedOrPartially,
    /// 不予公开
    Refused,
    /// 无法提供
    Unavailable,
    /// 不予处理
    NotProcessed,
    /// 其他处理
    Other,
}

impl Quantity {
    /// Returns true for the results listed under 三、本年度办理结果.
    pub(crate) fn is_outcome(self) -> bool {
        matches!(
            self,
            Self::Granted
                | Self::PartiallyGranted
                | Self::GrantedOrPartially
                | Self::Refused
                | Self::Unavailable
                | Self::NotProcessed
                | Self::Other
        )
    }
}
