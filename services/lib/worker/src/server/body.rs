//! [`Observed`]: the body of an answer, which tells [`Access`] how it goes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};

use super::access::Access;

/// The body of an answer. The record of its request ends with it.
pub struct Observed<B> {
    body: B,
    access: Access,
}

impl<B> Observed<B> {
    pub(super) fn new(body: B, mut access: Access) -> Self
    where
        B: Body,
    {
        // A server does not poll a body that says that it has ended.
        if body.is_end_stream() {
            access.finished();
        }
        Self { body, access }
    }
}

impl<B: Body + Unpin> Body for Observed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                this.access.sent(frame.data_ref().map_or(0, Buf::remaining));
                if let Some(trailers) = frame.trailers_ref() {
                    this.access.learn_grpc_status(trailers);
                }
            }
            Some(Err(_)) => {}
            None => this.access.finished(),
        }
        if matches!(frame, Some(Ok(_))) && this.body.is_end_stream() {
            this.access.finished();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
