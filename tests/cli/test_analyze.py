"""``mien analyze``: results, outputs, exit codes, and inputs of every bad kind."""

import csv
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from mien import Box, FaceRegion, Findings, PluginError, SampleKind, records
from mien.testing import FakeAnalyzer, FakePlugin, FakeSink, analyzer_info, make_prediction

Run = Callable[..., Any]
Picture = Callable[..., Path]


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_picture_gives_one_line_with_the_face_and_the_signal(mien: Run, picture: Picture) -> None:
    ran = mien("analyze", picture("happy.png"))
    assert ran.code == 0
    assert ran.err == ""
    (line,) = ran.out.splitlines()
    assert "happy.png  1 face: happy 57%  satisfaction 0.78" in line
    assert line.endswith("GOOD")


def test_nobody_in_the_picture_is_an_answer(mien: Run, picture: Picture) -> None:
    path = picture("night.png", brightness=0)
    ran = mien("analyze", path)
    assert ran.code == 0
    assert "no face" in ran.out
    assert "UNDECIDED" in ran.out
    (found,) = json_lines(mien("analyze", "--json", path).out)
    assert found["analysis"]["predictions"] == []
    assert found["analysis"]["satisfaction"]["verdict"] == "undecided"
    assert found["analysis"]["satisfaction"]["confidence"] == 0


def test_what_was_left_out_is_told(mien: Run, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        FakeAnalyzer, "analyze", lambda _, samples: [Findings(remark="4 faces left out") for _ in samples]
    )
    path = picture("group.png")
    assert mien("analyze", path).out.rstrip().endswith("UNDECIDED  [4 faces left out]")
    (found,) = json_lines(mien("analyze", "--json", path).out)
    assert [status["remark"] for status in found["analysis"]["streams"]] == ["4 faces left out"]


def test_json_lines_are_records_and_carry_everything(mien: Run, picture: Picture) -> None:
    path = picture("happy.png")
    (line,) = mien("analyze", "--json", path).out.splitlines()
    found = records.from_json(line)
    assert isinstance(found, records.AnalysisRecord)
    assert (found.source, found.session_id, found.at_seconds) == (str(path), "", None)
    assert (found.image_width, found.image_height) == (64, 48)
    (prediction,) = found.analysis.predictions
    assert isinstance(prediction.evidence, FaceRegion)
    assert prediction.evidence.box == Box(16, 12, 32, 24)
    satisfaction = found.analysis.satisfaction
    assert satisfaction.score == pytest.approx(200 / 255)
    assert satisfaction.contributions["face"].weight == 1
    assert [(stream.analyzer, stream.state.value) for stream in found.analysis.streams] == [("face", "ok")]


def test_csv_has_a_row_for_each_prediction_and_one_for_nobody(mien: Run, picture: Picture, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    ran = mien("analyze", picture("happy.png"), picture("night.png", brightness=0), "--csv", table)
    assert ran.code == 0
    with table.open(newline="") as file:
        happy, night = csv.DictReader(file)
    assert happy["emotion"] == "happy"
    assert float(happy["emotion_happy"]) == pytest.approx(200 / 255 * 2 - 1, abs=1e-3)
    assert (happy["box_x"], happy["verdict"]) == ("16.0", "good")
    assert (night["emotion"], night["emotion_happy"], night["verdict"]) == ("", "", "undecided")


def test_a_folder_is_read_in_order_with_folders_in_it_and_other_files_are_counted(
    mien: Run, picture: Picture, tmp_path: Path
) -> None:
    picture("all/b.jpg")
    picture("all/a.webp")
    picture("all/deeper/c.PNG")
    picture("all/.hidden.png")
    (tmp_path / "all/notes.txt").write_text("hello")
    (tmp_path / "all/table.csv").write_text("1,2")
    ran = mien("analyze", "--json", tmp_path / "all")
    assert ran.code == 0
    assert [Path(found["source"]).name for found in json_lines(ran.out)] == ["a.webp", "b.jpg", "c.PNG"]
    assert "skipped 2 files" in ran.err


def test_a_folder_without_pictures_is_a_failure(mien: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    ran = mien("analyze", tmp_path)
    assert ran.code == 1
    assert ran.err == f"mien: {tmp_path}: the folder holds no picture, video or sound; 1 other file in it\n"


def test_pipes_and_devices_in_a_folder_are_named_and_never_opened(mien: Run, picture: Picture, tmp_path: Path) -> None:
    good = picture("all/good.jpg")
    os.mkfifo(tmp_path / "all/pipe.jpg")
    os.mkfifo(tmp_path / "all/pipe.wav")
    (tmp_path / "all/endless.png").symlink_to("/dev/zero")
    (tmp_path / "all/gone.mp4").symlink_to(tmp_path / "nowhere")
    (tmp_path / "all/linked.jpg").symlink_to(good)
    ran = mien("analyze", "--json", tmp_path / "all")
    assert ran.code == 1
    for name in ("pipe.jpg", "pipe.wav", "endless.png"):
        assert f"mien: {tmp_path / 'all' / name}: neither a file nor a folder\n" in ran.err
    assert "gone.mp4: a link that leads nowhere" in ran.err
    read = [Path(found["source"]).name for found in json_lines(ran.out) if "analysis" in found]
    assert read == ["good.jpg", "linked.jpg"]


def test_a_linked_folder_in_a_folder_is_named_and_not_followed(mien: Run, picture: Picture, tmp_path: Path) -> None:
    picture("all/1.jpg")
    picture("other/2.jpg")
    (tmp_path / "all/link").symlink_to(tmp_path / "other")
    (tmp_path / "all/round").symlink_to(tmp_path / "all")
    ran = mien("analyze", "--json", tmp_path / "all")
    assert ran.code == 0
    assert [Path(found["source"]).name for found in json_lines(ran.out)] == ["1.jpg"]
    for name in ("link", "round"):
        assert f"{tmp_path / 'all' / name}: a link to a folder, passed over" in ran.err
    named = mien("analyze", "--json", tmp_path / "all/link")
    assert [Path(found["source"]).name for found in json_lines(named.out)] == ["2.jpg"]


def test_a_path_that_cannot_be_looked_at_is_named(mien: Run, picture: Picture) -> None:
    ran = mien("analyze", "x" * 5000 + ".jpg", picture("good.png"))
    assert ran.code == 1
    assert "cannot be read: File name too long" in ran.err
    assert "1 face" in ran.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty (0 bytes)"),
        (b"this is a letter", "not a JPEG, PNG or WebP"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "ends early"),
        (b"GIF89a and so on", "looks like a GIF"),
    ],
)
def test_a_bad_picture_is_named_and_the_rest_is_finished(
    mien: Run, picture: Picture, tmp_path: Path, content: bytes, message: str
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(content)
    ran = mien("analyze", "--json", bad, picture("good.png"))
    assert ran.code == 1
    assert f"{bad}: " in ran.err
    assert message in ran.err
    assert "Traceback" not in ran.err
    failed, good = json_lines(ran.out)
    assert failed["source"] == str(bad)
    assert message in failed["failure"]["message"]
    assert len(good["analysis"]["predictions"]) == 1


def test_a_path_that_does_not_exist_is_named(mien: Run, picture: Picture, tmp_path: Path) -> None:
    ran = mien("analyze", tmp_path / "gone.png", picture("good.png"))
    assert ran.code == 1
    assert "gone.png: there is no such file or folder" in ran.err
    assert "good.png" in ran.out


def test_a_named_file_is_read_by_its_content_where_its_name_says_nothing(
    mien: Run, picture: Picture, video: Path
) -> None:
    plain = picture("good.png").rename(video.with_name("picture-without-ending"))
    moving = video.rename(video.with_name("video.data"))
    ran = mien("analyze", "--json", plain, moving)
    assert ran.code == 0
    assert [found["at_seconds"] for found in json_lines(ran.out)] == [None, 0.0, 1.0, 2.0, 3.0]


def test_names_with_markup_and_line_breaks_stay_on_their_line(mien: Run, picture: Picture) -> None:
    ran = mien("analyze", picture("[red]a\nb.png"))
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 1
    assert "[red]a" in ran.out


def test_a_video_gives_a_result_every_so_often_with_tracks(mien: Run, video: Path) -> None:
    ran = mien("analyze", "--json", video, "--every", "0.5")
    assert ran.code == 0
    found = json_lines(ran.out)
    assert [line["at_seconds"] for line in found] == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
    assert {line["analysis"]["predictions"][0]["evidence"]["track_id"] for line in found} == {"t1"}
    scores = [line["analysis"]["satisfaction"]["score"] for line in found]
    assert scores == sorted(scores)


def test_a_colon_in_a_relative_name_is_no_protocol(
    mien: Run, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video.rename(tmp_path / "12:30:00.avi")
    monkeypatch.chdir(tmp_path)
    ran = mien("analyze", "12:30:00.avi", "--annotate", "at:noon")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("12:30:00.avi at 0.0 s  1 face")
    assert (tmp_path / "at:noon/12:30:00.mp4").stat().st_size > 1000


def test_a_video_with_a_broken_tail_gives_what_came_before_and_a_warning(mien: Run, video: Path) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 4 // 5])
    ran = mien("analyze", "--json", video)
    assert ran.code == 0
    assert [line["at_seconds"] for line in json_lines(ran.out)][:2] == [0.0, 1.0]
    assert "warning" in ran.err
    assert "ends early" in ran.err
    assert ran.err.count(str(video)) == 1


def test_what_is_no_video_is_named(mien: Run, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"this is a letter")
    ran = mien("analyze", path)
    assert ran.code == 1
    assert "clip.mp4: not a video that can be opened; it looks like plain text\n" in ran.err


def test_a_heic_picture_is_called_one(mien: Run, tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    ran = mien("analyze", path)
    assert ran.code == 1
    assert "it looks like a HEIC picture: convert it first" in ran.err


def test_text_alone(mien: Run) -> None:
    ran = mien("analyze", "--text", "that was good")
    assert ran.code == 0
    assert "text: happy 80%" in ran.out
    assert "GOOD" in ran.out


def test_text_and_picture_are_fused_with_the_weights(mien: Run, picture: Picture) -> None:
    path = picture("happy.png", brightness=255)
    asked = ("analyze", "--json", path, "--text", "bad")
    (even,) = json_lines(mien(*asked).out)
    (face_only,) = json_lines(mien(*asked, "--weight", "text=0").out)
    assert set(even["analysis"]["satisfaction"]["contributions"]) == {"face", "text"}
    assert even["analysis"]["satisfaction"]["score"] == pytest.approx(0.55)
    assert face_only["analysis"]["satisfaction"]["score"] == pytest.approx(1.0)


def test_a_weight_of_a_modality_that_nobody_has_is_refused_before_anything_is_read(mien: Run) -> None:
    ran = mien("analyze", "no-such.png", "--weight", "fcae=1")
    assert ran.code == 1
    assert "no modality 'fcae' to give a weight to; known are: face, text, voice" in ran.err
    assert "no-such.png" not in ran.err


def test_text_does_not_go_with_a_video(mien: Run, video: Path) -> None:
    ran = mien("analyze", video, "--text", "hello")
    assert ran.code == 2
    assert "--text and --audio go with pictures" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "PATH"),
        (("x.png", "--weight", "face"), "face=1"),
        (("x.png", "--weight", "face=-1"), "face=1"),
        (("x.png", "--weight", "face=inf"), "face=1"),
        (("x.png", "--fuser", "nope"), "there is no fuser 'nope'"),
        (("x.png", "--analyzer", "nope"), "nope"),
        (("x.png", "--every", "-1"), "every"),
        (("x.png", "--unknown"), "unknown"),
        (("x.png", "--csv", "/nowhere/at/all.csv"), "--csv: cannot write"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(mien: Run, arguments: tuple[str, ...], message: str) -> None:
    ran = mien("analyze", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_an_analyzer_that_is_off_can_be_named(mien: Run, picture: Picture) -> None:
    (found,) = json_lines(mien("analyze", "--json", picture("a.png"), "--analyzer", "quiet").out)
    assert [stream["analyzer"] for stream in found["analysis"]["streams"]] == ["quiet"]


def test_sinks_of_plugins_are_told_which_file_and_picture_each_result_is_of(
    mien: Run, installed: Any, picture: Picture, video: Path
) -> None:
    path = picture("a.png")
    assert mien("analyze", path, video, "--every", "2").code == 0
    told = [provenance for _, provenance in installed.sink.written]
    assert [(one.source, one.at_seconds, one.image_width, one.image_height, one.session_id) for one in told] == [
        (str(path), None, 64, 48, ""),
        (str(video), 0.0, 64, 48, ""),
        (str(video), 2.0, 64, 48, ""),
    ]
    assert [result.satisfaction.verdict.value for result, _ in installed.sink.written] == ["good", "poor", "undecided"]


class Meddler(FakeSink):
    """Empties what it is shown, hangs never, and then exits."""

    def write(self, result: Any, provenance: Any) -> None:
        for prediction in result.predictions:
            prediction.emotions.clear()
        raise SystemExit(3)


def test_a_sink_that_meddles_and_exits_changes_no_answer(mien: Run, installed: Any, picture: Picture) -> None:
    asked = ("analyze", "--json", picture("a.png"), picture("b.png"))
    (alone, _) = json_lines(mien(*asked).out)
    installed.plugins["meddler"] = FakePlugin(sinks={"a_meddler": Meddler})
    ran = mien(*asked)
    assert ran.code == 0
    assert json_lines(ran.out)[0]["analysis"]["predictions"] == alone["analysis"]["predictions"]
    assert len(installed.sink.written) == 4, "the other sink has seen both runs"


def test_what_sinks_see_is_redacted_as_the_answer_is(mien: Run, installed: Any) -> None:
    assert mien("analyze", "--redact-transcript", "--text", "so good").code == 0
    ((result, _),) = installed.sink.written
    assert (result.predictions[0].evidence.text, result.predictions[0].evidence.redacted) == ("", True)


def test_words_are_taken_out_where_the_configuration_says_so(mien: Run, tmp_path: Path) -> None:
    config = tmp_path / "mien.toml"
    config.write_text("[privacy]\nredact_transcript = true\n")
    (open_,) = json_lines(mien("analyze", "--json", "--text", "so good").out)
    (closed,) = json_lines(mien("--config", config, "analyze", "--json", "--text", "so good").out)
    assert open_["analysis"]["predictions"][0]["evidence"]["text"] == "so good"
    assert closed["analysis"]["predictions"][0]["evidence"]["text"] == ""


def test_a_fuser_can_be_named(mien: Run, picture: Picture) -> None:
    assert mien("analyze", picture("a.png"), "--fuser", "other").code == 0


def test_annotated_pictures_keep_their_folders_and_never_share_a_file(
    mien: Run, picture: Picture, tmp_path: Path
) -> None:
    picture("in/a.jpg")
    picture("in/a.png")
    picture("in/deeper/a.jpg")
    out = tmp_path / "out"
    assert mien("analyze", tmp_path / "in", "--annotate", out).code == 0
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.jpg"))
    assert written == ["a-2.jpg", "a.jpg", "deeper/a.jpg"]
    with Image.open(out / "a.jpg") as image:
        assert image.width > image.height > 480  # enlarged, and the panel is at its side


def test_annotated_pictures_are_not_taken_for_inputs(mien: Run, picture: Picture, tmp_path: Path) -> None:
    picture("in/a.jpg")
    asked = ("analyze", "--json", tmp_path / "in", "--annotate", tmp_path / "in" / "out")
    assert [len(mien(*asked).out.splitlines()) for _ in range(2)] == [1, 1]


def test_an_annotated_video_has_a_frame_for_each_result(mien: Run, video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert mien("analyze", video, "--every", "0.5", "--annotate", out).code == 0
    capture = cv2.VideoCapture(str(out / "clip.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 8
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(2.0)
    capture.release()


def test_a_folder_that_cannot_be_made_is_named(mien: Run, picture: Picture) -> None:
    path = picture("a.png")
    ran = mien("analyze", path, "--annotate", path)
    assert ran.code == 2
    assert "--annotate: cannot create the folder" in ran.err


def test_a_broken_analyzer_fails_each_input_with_its_reason(
    mien: Run, installed: Any, picture: Picture, video: Path
) -> None:
    def broken(samples: Any) -> Any:
        raise PluginError("the weights are gone")

    installed.face.analyze = broken
    ran = mien("analyze", picture("a.png"), video)
    assert ran.code == 1
    assert ran.err.count("the weights are gone") == 2
    assert ran.out == ""


def test_many_pictures_are_analysed_in_batches(mien: Run, installed: Any, picture: Picture, tmp_path: Path) -> None:
    for index in range(20):
        picture(f"many/{index:02}.png")
    assert mien("analyze", tmp_path / "many").code == 0
    assert installed.face.batches == [16, 4]


def test_frames_of_a_video_are_analysed_in_batches(mien: Run, installed: Any, video: Path) -> None:
    assert mien("analyze", video, "--every", "0").code == 0
    assert installed.face.batches == [16, 16, 8]


def test_an_analysis_may_take_longer_than_the_deadline_of_a_service(
    mien: Run, installed: Any, picture: Picture, tmp_path: Path
) -> None:
    config = tmp_path / "mien.toml"
    config.write_text("[engine]\ndeadline_seconds = 0.001\n")
    quick = installed.face.analyze

    def slow(samples: Any) -> Any:
        threading.Event().wait(0.05)  # many deadlines
        return quick(samples)

    installed.face.analyze = slow
    ran = mien("--config", config, "analyze", "--json", *(picture(f"many/{index}.png") for index in range(20)))
    assert ran.code == 0, ran.err
    assert len(json_lines(ran.out)) == 20


class Gestures(FakeAnalyzer):
    """Sees a wave in every picture, in numbers of the kind that networks give."""

    def __init__(self, *, sees: bool = True) -> None:
        super().__init__("gesture", answer=lambda sample: [self._wave(sample)] if sees else [])

    def _wave(self, sample: Any) -> Any:
        seen = make_prediction("gesture", satisfaction=0.75, at=sample.captured_at)
        numbers = {name: np.float32(getattr(seen, name)) for name in ("valence", "satisfaction", "confidence")}
        box = Box(*(np.float32(side) for side in (1, 2, 3, 4)))
        emotions = {"waving": np.float32(1.0)}
        return replace(seen, emotions=emotions, **numbers, evidence=FaceRegion(box, quality=np.float32(0.5)))


def with_gestures(installed: Any, *, sees: bool = True) -> None:
    info = replace(analyzer_info("gesture", SampleKind.IMAGE), labels=("waving", "pointing"))
    installed.plugins["gestures"] = FakePlugin(analyzers={"gestures": (info, lambda: Gestures(sees=sees))})


def test_numbers_of_numpy_in_a_plugins_result_cost_no_record(mien: Run, installed: Any, picture: Picture) -> None:
    with_gestures(installed)
    ran = mien("analyze", "--json", picture("a.png"), picture("b.png"))
    assert ran.code == 0, ran.err
    assert len(json_lines(ran.out)) == 2
    gesture = json_lines(ran.out)[0]["analysis"]["predictions"][1]
    assert (gesture["satisfaction"], gesture["evidence"]["box"]["width"]) == (0.75, 3.0)


def test_a_line_names_any_modality_that_pictures_are_looked_through_for(
    mien: Run, installed: Any, picture: Picture
) -> None:
    with_gestures(installed)
    path = picture("a.png")
    assert "1 face: happy 57%; 1 gesture: waving 100%  satisfaction" in mien("analyze", path).out
    assert "  1 gesture: waving 100%  " in mien("analyze", "--analyzer", "gestures", path).out
    with_gestures(installed, sees=False)
    assert "1 face: happy 57%; no gesture  satisfaction" in mien("analyze", path).out


def test_the_table_has_a_column_for_each_label_of_every_enabled_analyzer(
    mien: Run, installed: Any, picture: Picture, tmp_path: Path
) -> None:
    with_gestures(installed)
    table = tmp_path / "table.csv"
    assert mien("analyze", picture("a.png"), "--csv", table).code == 0
    with table.open(newline="") as file:
        face, gesture = csv.DictReader(file)
    assert {"emotion_happy", "emotion_waving", "emotion_pointing"} <= face.keys()
    assert (gesture["modality"], gesture["box_width"], gesture["emotion_waving"]) == ("gesture", "3.0", "1.0000")
