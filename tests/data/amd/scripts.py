"""What the clips of this folder hold: two halves, with other voices, words and noises in each.

The thresholds of bot/call/answering are tuned on `tuning` and on nothing of `held_out`.
"""

from __future__ import annotations

from pieces import (
    KNOWN,
    RUSSIAN_RING,
    SIT,
    UP,
    V21,
    Clip,
    Music,
    Part,
    Pause,
    Piece,
    Recorded,
    Say,
    Tones,
    beep,
    busy,
)


def _people(part: Part) -> list[Clip]:
    def person(number: int, voice: str, *pieces: Piece, **how: object) -> Clip:
        return Clip(f"human_{number:02}", "human", part, voice, pieces, **how)  # type: ignore[arg-type]

    if part == "tuning":
        return [
            person(1, "ru", Pause(0.6), Say("Алло"), KNOWN, Pause(2.0)),
            person(2, "ru+f2", Pause(0.4), Say("Да, слушаю"), KNOWN, Pause(2.0), noise="pink"),
            person(3, "ru+m3", Pause(0.9), Say("Алло, слушаю вас, говорите"), KNOWN, Pause(2.0), snr_db=18),
            person(4, "ru+m1", Pause(1.3), Say("Да?"), KNOWN, Pause(2.0), gain_db=-8),
            person(5, "ru+f4", Pause(0.5), Say("Алло"), KNOWN, Pause(1.4), Say("Алло, кто это?"), Pause(1.2),
                   noise="street", snr_db=15),
            person(6, "ru+Alicia", Pause(0.3), Say("Алло, здравствуйте"), KNOWN, Pause(2.0), tempo=1.15),
            person(7, "ru+f2", Pause(0.4), Say("Компания Ромашка, добрый день, меня зовут Елена"), KNOWN,
                   Pause(2.4), tempo=1.15),
            person(8, "ru+m3", Pause(0.8), Say("Алло"), KNOWN, Pause(2.0), noise="street", snr_db=8),
            person(9, "Elena", Pause(0.7), Recorded("053_elena.wav"), KNOWN, Pause(2.0)),
            person(10, "Elena", Pause(0.5), Recorded("020_elena.wav"), KNOWN, Pause(2.2),
                   Recorded("021_elena.wav"), Pause(1.0), noise="pink", snr_db=20),
            person(11, "ru", Pause(0.6), Say("Алло, да, подождите минуту, я выйду из комнаты"), KNOWN,
                   Pause(1.6), Say("Да, теперь говорите"), Pause(1.2)),
            person(12, "ru+m1", Pause(0.4), Say("Да, алло"), KNOWN, Pause(0.3), beep(1400, 0.4), Pause(2.2)),
            person(13, "ru+f4", Pause(0.5), Say(
                "Алло, кто это? Я сейчас за рулём, если это опять реклама, то мне ничего не нужно"
            ), KNOWN, Pause(1.8), tempo=1.1),
            person(14, "Elena", Pause(0.5), Recorded("043_elena.wav"), KNOWN, Pause(0.4),
                   Recorded("044_elena.wav"), Pause(1.6), noise="street", snr_db=14),
        ]  # fmt: skip
    return [
        person(1, "ru+m7", Pause(0.8), Say("Ало, да"), KNOWN, Pause(2.0)),
        person(2, "ru+f5", Pause(0.5), Say("Слушаю вас"), KNOWN, Pause(2.0), noise="hum", snr_db=22),
        person(3, "ru+linda", Pause(1.1), Say("Да, говорите, я слушаю"), KNOWN, Pause(2.0), gain_db=-10),
        person(4, "ru+max", Pause(0.3), Say("Алло"), KNOWN, Pause(1.1), Say("Алло, вас не слышно"),
               Pause(1.4), snr_db=16),
        person(5, "ru+Andy", Pause(1.5), Say("Угу, да"), KNOWN, Pause(2.0), noise="pink", snr_db=16),
        person(6, "ru+belinda", Pause(0.4), Say("Стоматология Улыбка, администратор Ольга, здравствуйте"),
               KNOWN, Pause(2.4), tempo=1.1),
        person(7, "nsh", Pause(0.6), Recorded("053_nsh.wav"), KNOWN, Pause(2.0), noise="street", snr_db=12),
        person(8, "nsh", Pause(0.4), Recorded("020_nsh.wav"), KNOWN, Pause(2.0)),
        person(9, "nsh", Pause(0.7), Recorded("043_nsh.wav"), KNOWN, Pause(0.5), Recorded("042_nsh.wav"),
               Pause(1.6)),
        person(10, "ru+m7", Pause(0.6), Say(
            "Да, здравствуйте, одну секунду, пожалуйста, я только отойду, а то здесь очень шумно"
        ), KNOWN, Pause(2.0), noise="street", snr_db=10, tempo=1.05),
        person(11, "ru+f5", Pause(0.5), Say("Алло"), KNOWN, Pause(0.9), beep(1400, 0.5), Pause(2.2)),
        person(12, "ru+linda", Pause(0.2), Say("Ну алло"), KNOWN, Pause(2.0), noise="hum", snr_db=12),
        person(13, "ru+max", Pause(0.9), Say(
            "Слушаю! Девушка, вы мне третий раз за неделю звоните, я же просил больше не беспокоить"
        ), KNOWN, Pause(1.8)),
        person(14, "ru+Andy", Pause(0.7), Say("Приёмная, слушаю вас внимательно"), KNOWN, Pause(2.0),
               noise="white", snr_db=12),
    ]  # fmt: skip


def _mailboxes(part: Part) -> list[Clip]:
    def mailbox(number: int, voice: str, *pieces: Piece, **how: object) -> Clip:
        return Clip(f"voicemail_{number:02}", "voicemail", part, voice, pieces, **how)  # type: ignore[arg-type]

    if part == "tuning":
        return [
            mailbox(1, "ru+f2", Pause(0.6), Say("Вы позвонили Ивану. Оставьте сообщение после сигнала"),
                    KNOWN, Pause(0.4), beep(1000, 0.5), Pause(1.5)),
            mailbox(2, "ru", Pause(0.3), Say(
                "Абонент не может принять ваш звонок. Пожалуйста, оставьте голосовое сообщение после гудка"
            ), KNOWN, Pause(0.6), beep(800, 0.8), Pause(1.5), noise="pink"),
            mailbox(3, "ru+m3", Pause(1.0), Say(
                "Привет, это Сергей, сейчас меня нет. Говорите после сигнала"
            ), KNOWN, Pause(0.5), beep(1400, 0.3), Pause(1.5), snr_db=18, gain_db=-6),
            mailbox(4, "ru+Alicia", Pause(0.5), Say("Это автоответчик. Нас нет дома"), Pause(0.8), KNOWN,
                    beep(440, 1.0), Pause(1.5)),
            mailbox(5, "ru+m1", Pause(0.4), Say(
                "Добрый день. Вы позвонили в компанию Вектор. Сейчас нерабочее время. Мы работаем по будням "
                "с девяти до восемнадцати. Перезвоните, пожалуйста, в рабочее время"
            ), KNOWN, Pause(1.5), tempo=1.15),
            mailbox(6, "ru+f4", Pause(0.7), Say("Здравствуйте"), Pause(1.2), Say(
                "Сейчас я не могу ответить, но обязательно перезвоню. Оставьте сообщение"
            ), KNOWN, Pause(0.5), beep(950, 0.4), Pause(1.5), noise="street", snr_db=18),
        ]  # fmt: skip
    return [
        mailbox(1, "ru+linda", Pause(0.5), Say("Здравствуйте, вы позвонили Марии, говорите после сигнала"),
                KNOWN, Pause(0.3), beep(1200, 0.4), Pause(1.5)),
        mailbox(2, "ru+f5", Pause(0.8), Say(
            "Вас приветствует голосовая почта. Оставьте своё сообщение после звукового сигнала"
        ), KNOWN, Pause(0.7), beep(620, 0.6), Pause(1.5), noise="hum", snr_db=20),
        mailbox(3, "ru+max", Pause(0.4), Say("Меня сейчас нет, наговорите что-нибудь"), KNOWN, Pause(0.6),
                beep(850, 0.25), Pause(1.5), noise="pink", snr_db=16),
        mailbox(4, "ru+m7", Pause(0.9), Say("Привет. Ты знаешь, что делать"), Pause(0.6), KNOWN,
                beep(1050, 0.35), Pause(1.5), gain_db=-8),
        mailbox(5, "ru+belinda", Pause(0.3), Say(
            "Здравствуйте. Вы позвонили в сервисный центр. К сожалению, все сотрудники уже ушли домой. "
            "Пожалуйста, оставьте ваш номер телефона и название аппарата, и мы свяжемся с вами завтра"
        ), KNOWN, Pause(1.5), tempo=1.15),
        mailbox(6, "ru+Andy", Pause(0.6), Say("Алло"), Pause(1.3), Say(
            "Шучу, это автоответчик, меня нет, скажите всё, что хотели, после длинного гудка"
        ), KNOWN, Pause(0.4), beep(700, 1.2), Pause(1.5)),
    ]  # fmt: skip


def _carriers(part: Part) -> list[Clip]:
    def carrier(number: int, voice: str, *pieces: Piece, **how: object) -> Clip:
        return Clip(f"announcement_{number:02}", "announcement", part, voice, pieces, **how)  # type: ignore[arg-type]

    if part == "tuning":
        out = Say("Аппарат абонента выключен")
        off = Say("Абонент временно недоступен. Попробуйте позвонить позднее")
        return [
            carrier(1, "ru+f2", Pause(0.3), off, KNOWN, Pause(0.8), answered="never"),
            carrier(2, "ru+Alicia", Pause(0.5), SIT, KNOWN, Pause(0.2), Say("Неправильно набран номер"),
                    Pause(0.6), answered="never"),
            carrier(3, "ru", Pause(0.4), out, KNOWN, Pause(1.0), out, Pause(1.0), out, Pause(0.8)),
            carrier(4, "ru+m1", SIT, KNOWN, Say("Набранный вами номер не существует"), Pause(0.6),
                    noise="pink"),
            carrier(5, "ru+f4", Pause(0.2), Say("Линия занята"), Pause(0.2), busy(4), KNOWN, busy(1)),
            carrier(6, "ru", RUSSIAN_RING, Say("Вызываемый абонент не отвечает"), KNOWN, Pause(0.6),
                    answered="never", noise="pink", snr_db=20),
            carrier(7, "ru+f2", Say("Телефон абонента выключен или находится вне"), UP,
                    Say("зоны действия сети. Перезвоните позже"), KNOWN, Pause(0.8), answered="marked"),
        ]  # fmt: skip
    loop = Say("Абонент находится вне зоны действия сети")
    return [
        carrier(1, "ru+linda", Pause(0.4), Say("Телефон абонента выключен или вне зоны действия сети"), KNOWN,
                Pause(0.8), answered="never", snr_db=18),
        carrier(2, "ru+f5", Pause(0.3), SIT, KNOWN, Say("Номер не обслуживается"), Pause(0.6),
                answered="never", noise="hum", snr_db=22),
        carrier(3, "ru+belinda", Pause(0.3), loop, KNOWN, Pause(0.9), loop, Pause(0.9), loop, Pause(0.6),
                noise="pink", snr_db=20),
        carrier(4, "ru+max", Pause(0.2), SIT, KNOWN, Say("Данный вид связи недоступен"), Pause(0.6)),
        carrier(5, "ru+m7", Pause(0.4), Say("Абонент разговаривает"), Pause(0.3), busy(5, 0.3), KNOWN,
                gain_db=-6),
        carrier(6, "ru+linda", RUSSIAN_RING, Say("Абонент не отвечает, перезвоните позднее"), KNOWN,
                Pause(0.6), answered="never"),
        carrier(7, "ru+f5", Say("Номер временно заблокирован. Спасибо"), UP,
                Say("за понимание. Номер временно заблокирован"), KNOWN, Pause(0.8), answered="marked"),
    ]  # fmt: skip


def _menus(part: Part) -> list[Clip]:
    def menu(number: int, voice: str, *pieces: Piece, **how: object) -> Clip:
        return Clip(f"ivr_{number:02}", "ivr", part, voice, pieces, **how)  # type: ignore[arg-type]

    if part == "tuning":
        return [
            menu(1, "ru+f2", Pause(0.5), Say(
                "Здравствуйте. Для связи с отделом продаж нажмите один. Для технической поддержки нажмите два"
            ), KNOWN, Pause(1.5), tempo=1.1),
            menu(2, "ru+Alicia", Pause(0.4), Say("Вы позвонили в банк. Соединяю с оператором"), Pause(0.5),
                 Tones(((425, 1.0),)), KNOWN, Pause(3.0)),
            menu(3, "ru", Pause(0.6), Say(
                "Добро пожаловать. Наберите внутренний номер сотрудника или дождитесь ответа оператора"
            ), KNOWN, Music(2.5), noise="pink"),
            menu(4, "ru+m1", Pause(0.5), Say("Ваш звонок очень важен для нас. Оставайтесь на линии"), KNOWN,
                 Music(3.0)),
        ]  # fmt: skip
    return [
        menu(1, "ru+linda", Pause(0.4), Say(
            "Вас приветствует клиника. Чтобы записаться, нажмите один. Чтобы отменить запись, нажмите два"
        ), KNOWN, Pause(1.5), tempo=1.1),
        menu(2, "ru+f5", Pause(0.6), Say("Здравствуйте, сейчас вам ответит свободный сотрудник"), Pause(0.4),
             Tones(((425, 0.9),)), KNOWN, Pause(3.0), snr_db=20),
        menu(3, "ru+belinda", Pause(0.5), Say(
            "Если вы знаете добавочный номер, наберите его в тональном режиме"
        ), KNOWN, Music(2.5)),
        menu(4, "ru+max", Pause(0.3), Say("Все операторы заняты, пожалуйста, ждите ответа"), KNOWN,
             Music(3.0), noise="hum", snr_db=24),
    ]  # fmt: skip


def _secretaries(part: Part) -> list[Clip]:
    def secretary(number: int, voice: str, *pieces: Piece, **how: object) -> Clip:
        return Clip(f"secretary_{number:02}", "secretary", part, voice, pieces, **how)  # type: ignore[arg-type]

    if part == "tuning":
        return [
            secretary(1, "ru+f2", Pause(0.4), Say("Алло, здравствуйте"), Pause(1.8), Say(
                "Сейчас абонент не может ответить, я его голосовой помощник"
            ), KNOWN, Pause(1.2)),
            secretary(2, "ru+m3", Pause(0.3), Say("Слушаю"), Pause(1.6),
                      Say("Это секретарь, что ему передать?"), KNOWN, Pause(1.5)),
            secretary(3, "ru+Alicia", Pause(0.5), Say(
                "Здравствуйте, это виртуальный помощник, он не может говорить, скажите, кто звонит"
            ), KNOWN, Pause(1.8), noise="pink"),
        ]  # fmt: skip
    return [
        secretary(1, "ru+linda", Pause(0.5), Say("Да, здравствуйте"), Pause(1.7), Say(
            "Это электронный секретарь, хозяин не может подойти, я всё передам"
        ), KNOWN, Pause(1.2)),
        secretary(2, "ru+max", Pause(0.3), Say("Алло"), Pause(1.5), Say(
            "Сейчас он не может ответить на звонок. По какому вы вопросу?"
        ), KNOWN, Pause(1.5), noise="hum", snr_db=22),
        secretary(3, "ru+f5", Pause(0.4), Say("Вас слушает голосовой ассистент, чем могу помочь?"), KNOWN,
                  Pause(1.8)),
    ]  # fmt: skip


def _silent(part: Part) -> list[Clip]:
    def quiet(number: int, seconds: float, noise: str, gain_db: float, *pieces: Piece) -> Clip:
        pieces = pieces or (Pause(seconds),)
        return Clip(f"silence_{number:02}", "silence", part, "", (*pieces, KNOWN), noise, 30, gain_db)

    if part == "tuning":
        return [quiet(1, 4.6, "white", 0), quiet(2, 4.6, "street", 2),
                quiet(3, 4.6, "hum", -10)]  # fmt: skip
    return [quiet(1, 4.6, "pink", 0), quiet(2, 4.6, "hum", 4), quiet(3, 4.6, "street", -5)]


def _faxes(part: Part) -> list[Clip]:
    def fax(number: int, *pieces: Piece, **how: object) -> Clip:
        return Clip(f"fax_{number:02}", "fax", part, "", pieces, **how)  # type: ignore[arg-type]

    if part == "tuning":
        return [
            fax(1, Pause(1.0), Tones(((2100, 0.7),)), KNOWN, Tones(((2100, 1.9),)), Pause(0.1), V21(0.8)),
            fax(2, Pause(0.6), Tones(((1100, 0.5),)), KNOWN, Pause(2.0), noise="pink", snr_db=20),
            fax(3, Pause(0.8), V21(0.5), KNOWN, V21(1.0), noise="hum"),
        ]  # fmt: skip
    return [
        fax(1, Pause(0.7), Tones(((2108, 0.7),)), KNOWN, Tones(((2108, 2.0),)), V21(0.6), snr_db=18),
        fax(2, Pause(1.2), Tones(((1080, 0.48),)), KNOWN, Pause(2.0), noise="white", snr_db=14),
        fax(3, Pause(0.5), V21(0.5), KNOWN, V21(1.2), noise="pink", snr_db=16),
    ]  # fmt: skip


def _half(part: Part) -> list[Clip]:
    kinds = (_people, _mailboxes, _carriers, _menus, _secretaries, _silent, _faxes)
    return [clip for kind in kinds for clip in kind(part)]


CLIPS: tuple[Clip, ...] = (*_half("tuning"), *_half("held_out"))
