"""Mail out: one message over SMTP, and what became of it; nothing is raised for it."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.core.mail_addresses import is_address
from bot.delivery.settings import MailSettings
from bot.words import words


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """`error` is "" where the server took it; `final` where it said that it never will."""

    error: str = ""
    final: bool = False


def checked_address(written: str) -> str:
    """Raises BadInput."""
    address = written.strip()
    if not is_address(address):
        raise BadInput(
            words(f"«{address}» не адрес почты", f"«{address}» is no mail address"), hint="olga@example.ru"
        )
    return address


class Mailer:
    def __init__(self, settings: MailSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def configured(self) -> bool:
        return bool(self._settings.host)

    async def send(
        self, message_id: str, to: str, subject: str, text: str, attachment: Attachment | None = None
    ) -> Sent:
        """Of one `message_id` a mailbox that gets it twice (we died before the server's yes) shows one."""
        settings = self._settings
        if not self.configured:
            return Sent(words("почта не настроена (mail.host)", "mail is not set up (mail.host)"))
        message = self._message(message_id, to, subject, text, attachment)
        try:
            await aiosmtplib.send(
                message,
                hostname=settings.host,
                port=settings.port,
                username=settings.user or None,
                password=settings.password.get_secret_value() or None,
                timeout=settings.timeout_s,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            said = "; ".join(f"{refused.code} {refused.message}" for refused in error.recipients)
            return Sent(said, final=all(code >= 500 for code in codes))
        except aiosmtplib.SMTPAuthenticationError as error:  # the settings are wrong, and may be put right
            return Sent(f"{error.code} {error.message}")
        except aiosmtplib.SMTPResponseException as error:
            return Sent(f"{error.code} {error.message}", final=error.code >= 500)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Sent(f"{type(error).__name__}: {error}")
        return Sent()

    def _message(
        self, message_id: str, to: str, subject: str, text: str, attachment: Attachment | None
    ) -> EmailMessage:
        sender = self._settings.sender
        message = EmailMessage()
        message["From"] = sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2] or 'otklik'}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers, please
        message.set_content(text)
        if attachment is not None:
            kind, _, subtype = attachment.media_type.partition("/")
            message.add_attachment(
                attachment.content, maintype=kind, subtype=subtype, filename=attachment.name
            )
        return message
