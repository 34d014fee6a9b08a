"""The whole way from texts to the model. What a step has made is kept, so an interrupted rebuild goes on."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from bot.speech.wordgraph.packing import pack
from bot.words import words as say
from small_ru import corpus, dataset, espeak, graph, kaldi_model, kaldi_reader, measuring
from small_ru.alignment import align_all, train_aligner
from small_ru.kaldi_model import Acoustic
from small_ru.lexicon import entries
from small_ru.network import CONTEXT
from small_ru.plan import HOME, PROJECT, TEXTS, WORK, Plan
from small_ru.synthesis import Line, lines, say_all
from small_ru.telephony import MEASURING, NOISY
from small_ru.texts import Texts
from small_ru.training import Course, train
from small_ru.voices import Role, Voice, installed_engines, known_voices

NAME = "vosk-model-otklik-demo-ru"
_UNKNOWN_SHARE = 0.2
"""Of the sentences of tuning and test."""
_SENTENCES, _BARE_ANSWERS, _UNKNOWN_SENTENCES = 20_000, 6_000, 4_000
"""From which the chances of words are counted. Most callers answer with a word or two; and who says a word
that the model does not know says more of them: else a piece of it is heard as a short known word."""
_SCALES, _GARBAGE_PRIORS = (0.3, 0.4, 0.5), (0.1, 0.2, 0.3, 0.45)
"""What is tried with the tuning set: belief in the acoustic model, and how common `[unk]` is taken to be."""
_UNKNOWN_WEIGHT, _NONSPEECH_WEIGHT = 0.2, 1.0
"""What a false word weighs in tuning against one that was not heard."""
_SILENCE_PRIOR, _LEAST_PRIOR = 0.2, 2e-4
_RECORDED_LINES = 4
_FINISHING_RATE = 5e-4
_NONSPEECH = 3
"""How often the plan's sounds that are no speech are taught at last; once before."""
_BABBLE = 300
"""Sentences that may talk in the background of others."""
_SEED = 20261128

Tell = Callable[[str], None]


class Rebuild:
    """One rebuild in its folder. Steps are methods, in the order in which `run` calls them."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        """Raises BadInput (a line of the texts that is no word)."""
        self.plan = plan
        self.tell = tell
        self.engines = installed_engines(plan)
        here = [engine for engine, why in self.engines.items() if not why]
        self.voices = known_voices(here, plan)
        self.texts = Texts.read(plan.words)
        self.work = WORK / f"{plan.name}-{digest(plan, self.voices)}"
        self._started = time.monotonic()

    def run(self) -> dict[str, object]:
        """Blocking. The report, which is in the folder too. Raises OtklikError where something that it
        needs is not there."""
        self.introduce()
        self.speak()
        aligned, answers = self.align()
        training, finishing = self.prepare(aligned, answers)
        stays = self.durations(aligned)
        model = self.work / "model_ru"
        course = Course(self.plan.epochs)
        acoustic = self.learn("all voices", training, stays, course)
        course = Course(self.plan.finishing_epochs, highest_rate=_FINISHING_RATE, begin=acoustic)
        acoustic = kaldi_model.halfway(acoustic, self.learn("finished", finishing, stays, course))
        self.lay_graph(model, stays)
        acoustic, found = self.tune(model, acoustic)
        found |= self.test(model)
        left_out = self.leave_out(model, acoustic, list(dict.fromkeys([*training, *finishing])), stays)
        told = ", ".join(f"{person} {share:.1%}" for person, share in left_out.items())
        self.tell(
            say(f"слова голосов, которых модель не слышала: {told}", f"words of people never heard: {told}")
        )
        found |= {
            "left_out": left_out,
            "acoustic": self.check(model, acoustic),
            "seconds": round(time.monotonic() - self._started),
        }
        archive = self.work / f"{NAME}.tgz"
        pack(model, archive, within="model_ru")
        found |= {"archive": str(archive.relative_to(HOME)), "bytes": archive.stat().st_size}
        found["sha256"] = hashlib.sha256(archive.read_bytes()).hexdigest()
        text = json.dumps(found, ensure_ascii=False, indent=1)
        (self.work / "report.json").write_text(text + "\n", encoding="utf-8")
        return found

    def introduce(self) -> None:
        for engine, why in self.engines.items():
            there = say("говорит", "speaks") if not why else say(f"нет ({why})", f"is not here ({why})")
            self.tell(f"{engine}: {there}")
        words, phrases = len(self.texts.words), len(self.texts.training.fixed)
        self.tell(say(f"слов {words}, фраз {phrases}", f"{words} words, {phrases} phrases"))

    def speak(self) -> None:
        invented = self.plan.espeak_variants - self.plan.espeak_variants // 2
        if not (self.work / "espeak-data").exists():
            espeak.lay_data(self.work / "espeak-data", invented, _SEED)
        jobs = [(voice, self._lines(voice), self._spoken(voice)) for voice in self.voices]
        jobs += [(voice, self._answers(voice), self._answered(voice)) for voice in self._teachers()]
        say_all(jobs, self.work, self.tell)
        count = len(self.voices)
        self.tell(say(f"голосов {count}, всё сказано", f"{count} voices, all is said") + self._since())

    def align(self) -> tuple[list[Path], list[Path]]:
        """The sentences of the training voices, and their bare answers, with a phone for each 10 ms."""
        spoken = [self._spoken(voice) for voice in self._teachers()]
        every = [*spoken, *(self._answered(voice) for voice in self._teachers())]
        aligned = [file.parent.with_name("aligned") / file.name for file in every]
        if not all(file.exists() for file in aligned):
            count, passes = self.plan.aligned_with, self.plan.aligner_passes
            mixtures = train_aligner(spoken, self.texts.said, count, passes, self.tell)
            align_all(every, aligned, self.texts.said, mixtures)
        self.tell(say("фонемы размечены", "aligned") + self._since())
        return aligned[: len(spoken)], aligned[len(spoken) :]

    def prepare(self, aligned: Sequence[Path], answers: Sequence[Path]) -> tuple[list[Path], list[Path]]:
        """What the network learns from, in files of one voice and one telephone line each; and what it
        learns from at last: bare answers, sounds that are no speech, and some of the sentences."""
        sentences, bare = self._over_lines(aligned), self._over_lines(answers)
        babble = self.work / "babble.npz"
        if not babble.exists():
            each = list(corpus.load_all(aligned))
            corpus.save(babble, random.Random(_SEED).sample(each, min(_BABBLE, len(each))))
        dataset.make([*sentences, *bare], babble, self.tell)
        silent = [self.work / "features" / f"nonspeech{again or ''}.npz" for again in range(_NONSPEECH)]
        for again, file in enumerate(silent):
            dataset.make_nonspeech(file, self.plan.nonspeech_s, _SEED + 10 * again)
        self.tell(say("телефонные линии готовы", "telephone lines are ready") + self._since())
        written = [job.written for job in sentences]
        return [*written, silent[0]], [*written[: len(aligned)], *(job.written for job in bare), *silent]

    def _over_lines(self, aligned: Sequence[Path]) -> list[dataset.Job]:
        """Each file over so many telephone lines as the plan has copies."""
        return [
            dataset.Job(file, file.parent.with_name("features") / f"{copy}-{file.name}", _SEED + copy)
            for copy in range(self.plan.copies)
            for file in aligned
        ]

    def durations(self, aligned: Sequence[Path]) -> Mapping[str, float]:
        """How likely each phone is to last; kept."""
        kept = self.work / "durations.json"
        if not kept.exists():
            each = [one.labels for one in corpus.load_all(aligned)]
            kept.write_text(json.dumps(graph.durations(each)))
        found: dict[str, float] = json.loads(kept.read_text())
        return found

    def learn(self, what: str, files: Sequence[Path], stays: Mapping[str, float], course: Course) -> Acoustic:
        """A network that learnt from these; kept by its name."""
        kept = self.work / "networks" / f"{what.replace(' ', '-')}.mdl"
        if not kept.exists():
            self.tell(say(f"обучение: {what}", f"training: {what}"))
            progress = kept.with_suffix(".progress.npz")
            trained = train(files, self.plan, course, _SEED, progress, self.tell)
            priors = np.asarray(trained.counts, np.float64) / sum(trained.counts)
            priors[0] = min(priors[0], _SILENCE_PRIOR)
            priors = np.maximum(priors, _LEAST_PRIOR)
            phones = graph.GRAPH_PHONES
            acoustic = Acoustic(
                phones=phones,
                outputs=tuple(graph.OUTPUTS.index(graph.base(phone)) for phone in phones),
                stays=tuple(stays[graph.base(phone)] for phone in phones),
                hidden=tuple(trained.hidden),
                heads=tuple(trained.heads.items()),
                priors=np.append(priors / priors.sum(), 0.1).astype(np.float32),
                context=CONTEXT,
            )
            kept.parent.mkdir(exist_ok=True)
            unfinished = kept.with_suffix(".part")
            kaldi_model.write(acoustic, unfinished)
            unfinished.replace(kept)
            progress.unlink()
            self.tell(say(f"обучена: {what}", f"trained: {what}") + self._since())
        return replace(kaldi_reader.read(kept), phones=graph.GRAPH_PHONES)

    def lay_graph(self, model: Path, stays: Mapping[str, float]) -> None:
        rng = random.Random(_SEED)
        phrases = self.texts.training
        said = [phrases.sentence(rng) for _ in range(_SENTENCES)] + list(phrases.fixed)
        said += [phrases.bare(rng) for _ in range(_BARE_ANSWERS)]
        said += [" ".join([graph.UNKNOWN] * rng.randint(1, 5)) for _ in range(_UNKNOWN_SENTENCES)]
        graph.lay_out(model, entries(self.texts.words), stays, said)

    def tune(self, model: Path, acoustic: Acoustic) -> tuple[Acoustic, dict[str, object]]:
        """With the settings that are best on the tuning set, which are written into the model."""
        tuning = [voice for voice in self.voices if voice.role is Role.TUNE]
        known = {
            f"{voice.name}{name}": measuring.spoken(self._spoken(voice), known=True, hardship=hardship)
            for voice in tuning
            for name, hardship in (("", MEASURING), (" noisy", NOISY))
        }
        unknown = self._unknown(tuning)
        silent = measuring.nonspeech(min(self.plan.nonspeech_s / 4, 300), _SEED + 1)
        best: tuple[float, float, float] | None = None
        for scale, prior in itertools.product(_SCALES, _GARBAGE_PRIORS):
            graph.set_scale(model, scale)
            kaldi_model.write(_with_garbage(acoustic, prior), model / "am" / "final.mdl")
            result = measuring.measure(model, known, unknown, silent)
            score = float(np.mean(list(result.accuracy.values())))
            score -= _UNKNOWN_WEIGHT * result.unknown_taken + _NONSPEECH_WEIGHT * result.nonspeech_taken
            best = max(best or (score, scale, prior), (score, scale, prior))
            self.tell(f"  {scale} {prior}: {score:.3f}; {_told(result)}")
        assert best is not None
        score, scale, prior = best
        graph.set_scale(model, scale)
        acoustic = _with_garbage(acoustic, prior)
        kaldi_model.write(acoustic, model / "am" / "final.mdl")
        return acoustic, {"tuning": {"scale": scale, "garbage_prior": prior, "score": round(score, 4)}}

    def test(self, model: Path) -> dict[str, object]:
        """By voices that taught and tuned nothing, and by what is no known word."""
        voices = [voice for voice in self.voices if voice.role is Role.TEST]
        known = {
            f"{voice.engine} {voice.name}": measuring.spoken(self._spoken(voice), known=True)
            for voice in voices
        }
        recorded = measuring.recorded(PROJECT / "tests/data/speech/manifest.tsv", _RECORDED_LINES)
        known |= {f"recorded {voice}": self._only_known(trial) for voice, trial in recorded.items()}
        silent = measuring.nonspeech(min(self.plan.nonspeech_s / 4, 300), _SEED + 2)
        result = measuring.measure(model, known, self._unknown(voices), silent)
        self.tell(say("проверка: ", "test: ") + _told(result) + self._since())
        return {"plan": asdict(self.plan), "words": len(self.texts.words), "test": asdict(result)}

    def leave_out(
        self, model: Path, acoustic: Acoustic, training: Sequence[Path], stays: Mapping[str, float]
    ) -> dict[str, float]:
        """For each person of the training: how well a model hears them that never heard them. It learns
        shorter than the model itself, with the same graphs and settings."""
        people = list(dict.fromkeys(voice.person for voice in self.voices if voice.role is Role.TRAIN))
        count = self.plan.left_out_voices or len(people)
        course = Course(self.plan.left_out_epochs, least_steps=self.plan.left_out_steps)
        found: dict[str, float] = {}
        folder = self.work / "left_out_model"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(model, folder)
        for person in people[:count]:
            theirs = [voice for voice in self.voices if voice.person == person]
            names = {file.stem for voice in theirs for file in (self._spoken(voice), self._answered(voice))}
            files = [file for file in training if file.stem.partition("-")[2] not in names]
            other = self.learn(f"without {person}", files, stays, course)
            other = _with_garbage(other, float(acoustic.priors[-1]))
            kaldi_model.write(other, folder / "am" / "final.mdl")
            trials = [measuring.spoken(file, known=True) for file in self._held_out(theirs)]
            said = tuple(text for trial in trials for text in trial.said)
            sounds = tuple(sound for trial in trials for sound in trial.sounds)
            accuracy, _ = measuring.accuracy_of(folder, measuring.Trial(said, sounds))
            found[person] = round(accuracy, 4)
            self.tell(
                say(f"без {person}: слов {accuracy:.1%}", f"without {person}: {accuracy:.1%}") + self._since()
            )
        return found

    def check(self, model: Path, acoustic: Acoustic) -> str:
        """The file that ships is what the network computed: read back, it gives the same numbers."""
        back = kaldi_reader.read(model / "am" / "final.mdl")
        rows = np.random.default_rng(0).standard_normal((200, 40)).astype(np.float32) * 10
        written, learnt = (kaldi_model.log_likelihoods(one, rows) for one in (back, acoustic))
        if not np.allclose(written, learnt):
            raise RuntimeError(f"{model} does not hold what was learnt")
        return f"{sum(layer.weights.size + layer.bias.size for layer in back.hidden)} hidden parameters"

    def _held_out(self, voices: Iterable[Voice]) -> list[Path]:
        """Sentences of training voices that were never trained with, spoken now."""
        each = list(voices)[:4]
        jobs = []
        for voice in each:
            count = max(self.plan.test_sentences // len(each), 1)
            said = lines(self.texts.training, self.texts.marked, voice, count, Role.TEST, 0.0)
            jobs.append((voice, said, self.work / "held" / self._spoken(voice).name))
        say_all(jobs, self.work, self.tell)
        return [file for _, _, file in jobs]

    def _unknown(self, voices: Iterable[Voice]) -> measuring.Trial:
        trials = [measuring.spoken(self._spoken(voice), known=False) for voice in voices]
        return measuring.Trial(
            tuple(text for trial in trials for text in trial.said),
            tuple(sound for trial in trials for sound in trial.sounds),
        )

    def _only_known(self, trial: measuring.Trial) -> measuring.Trial:
        """A small vocabulary is not asked for words that it has not."""
        pairs = [
            (text, sound)
            for text, sound in zip(trial.said, trial.sounds, strict=True)
            if set(text.split()) <= set(self.texts.words)
        ]
        return measuring.Trial(tuple(text for text, _ in pairs), tuple(sound for _, sound in pairs))

    def _lines(self, voice: Voice) -> list[Line]:
        if voice.role is Role.TRAIN:
            count = self.plan.espeak_sentences if voice.engine == "espeak" else self.plan.voice_sentences
            share = self.plan.unknown_share
            return lines(self.texts.training, self.texts.marked, voice, count, voice.role, share)
        count = self.plan.tune_sentences if voice.role is Role.TUNE else self.plan.test_sentences
        return lines(self.texts.held, self.texts.marked, voice, count, voice.role, _UNKNOWN_SHARE)

    def _answers(self, voice: Voice) -> list[Line]:
        count = self.plan.espeak_answers if voice.engine == "espeak" else self.plan.voice_answers
        share = self.plan.unknown_share / 2
        return lines(self.texts.training, self.texts.marked, voice, count, voice.role, share, bare=True)

    def _teachers(self) -> list[Voice]:
        return [voice for voice in self.voices if voice.role is Role.TRAIN]

    def _answered(self, voice: Voice) -> Path:
        spoken = self._spoken(voice)
        return spoken.with_name(f"{spoken.stem}_answers.npz")

    def _spoken(self, voice: Voice) -> Path:
        return self.work / "speech" / f"{voice.engine}_{voice.name.removeprefix('ru+').lower()}.npz"

    def _since(self) -> str:
        minutes = (time.monotonic() - self._started) / 60
        return say(f" [{minutes:.1f} мин]", f" [{minutes:.1f} min]")


def digest(plan: Plan, voices: Sequence[Voice]) -> str:
    """Of the code, the texts, the plan and who speaks: another one is another rebuild."""
    found = hashlib.sha256(repr((plan, voices)).encode())
    for folder, pattern in ((HOME / "small_ru", "*.py"), (TEXTS, "**/*.txt")):
        for file in sorted(folder.glob(pattern)):
            found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()[:8]


def _with_garbage(acoustic: Acoustic, prior: float) -> Acoustic:
    return replace(acoustic, priors=np.append(acoustic.priors[:-1], np.float32(prior)))


def _told(result: measuring.Result) -> str:
    each = ", ".join(f"{name} {share:.1%}" for name, share in result.accuracy.items())
    unknown, silent = f"{result.unknown_taken:.1%}", f"{result.nonspeech_taken:.1%}"
    return say(
        f"{each}; за слова приняты: незнакомые {unknown}, не речь {silent}; RTF {result.rtf:.4f}",
        f"{each}; taken for words: unknown {unknown}, no speech {silent}; RTF {result.rtf:.4f}",
    )
