"""What the detector cannot tell, how to ask it from a program, and what to do where there is none."""

import json

import gradio as gr

from demo import costs
from demo.listening import MOST_MEGABYTES, MOST_MINUTES
from demo.models import QUICKSTART, Served
from demo.words import ARTIFICIAL

# Temporary files are looked for, and deleted when so old.
SWEPT_SECONDS, KEPT_SECONDS = 300, 900
HOW_TO_GET_ONE = """
**How to get a model**, with the project's checkout:

```bash
scripts/quickstart                  # trains one on artificial voices in minutes; fit for nothing but trying
crnn-hf train crnn-asvspoof5 --data DIRECTORY --output_dir runs/mine    # on ASVspoof 5
crnn-hf calibrate runs/mine DIRECTORY
crnn-hf demo runs/mine              # this page, with that model
```

In a Space, or where `app.py` is started by itself, the variable `CRNN_MODEL` names a folder or a model on the Hub.
"""
LIMITS = f"""
## What this can't tell you

- **It is no proof.** A detector of this kind hears traces that synthesis leaves. It errs both ways, and more often on
  recordings unlike those that it was trained on: other languages, microphones, codecs, rooms, music, several speakers.
- **It does not know new systems.** A voice generator that is younger than the training data may leave no trace that
  it knows.
- **It says nothing of who speaks, or whether what is said is true.** A real recording can be cut, or taken out of
  context. That sounds real, because it is.
- **“Fake” here means synthetic or converted speech.** Noise reduction, strong compression and telephone lines can
  sound like it.
- **Short or quiet recordings say little.** From under half a second of sound nothing is concluded.
- **A probability is for even odds.** If one recording in a hundred is fake where yours come from, most of what is
  called fake will be real.
- **Where it marks a stretch, an edge may be half a second off or more**: it is where the voice, the room or the
  microphone changes, if they do. And what moved the score is a hint at what the model used, not at what is wrong with
  the recording. In the spectrogram it is what the network used; what a second opinion used is listed below, where
  PyTorch runs the model.

Nobody should be accused, refused or believed because of this page alone.

## What happens to recordings

They are judged on the machine that runs this page, and not used for anything else. Their temporary files are deleted
after {KEPT_SECONDS // 60} to {(KEPT_SECONDS + SWEPT_SECONDS) // 60} minutes. At most {MOST_MINUTES} minutes and
{MOST_MEGABYTES} MB each.
"""
API = """
## From a program

The function `/detect` takes a recording and a threshold's name (or nothing, for the default), and gives what
`crnn-hf detect FILE --json` prints. `URL` is this page's address. Thresholds here: {thresholds}.

```python
from gradio_client import Client, handle_file

client = Client("URL")  # or the Space's name, user/name
result = client.predict(handle_file("recording.wav"), None, api_name="/detect")
print(result["label"], result["probability"], result["segments"])
```

```bash
FILE=$(curl -s URL/gradio_api/upload -F files=@recording.wav \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)[0])')
EVENT=$(curl -s URL/gradio_api/call/detect -H 'Content-Type: application/json' \\
  -d '{{"data": [{{"path": "'"$FILE"'", "meta": {{"_type": "gradio.FileData"}}}}, null]}}' \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["event_id"])')
curl -sN URL/gradio_api/call/detect/$EVENT
```
"""


def about_tab(served: Served) -> None:
    """Put the tab's parts in place, within a `gr.Tab`."""
    names = ", ".join(f"`{name}`" for _, name in costs.choices(served.calibration)[1:]) or "none"
    gr.Markdown(LIMITS)
    gr.Markdown(_model(served))
    gr.Markdown(API.format(thresholds=names))
    gr.Markdown(HOW_TO_GET_ONE)


def notice(served: Served | None) -> str:
    """What is said above all else, as HTML: that there is no model, or none to rely on; nothing where there is one."""
    if served is None:
        return (
            f'<div class="notice" role="note"><p><strong>There is no model here yet.</strong> None was named, and '
            f"there is none at {QUICKSTART}, where the quickstart leaves its own.</p></div>"
        )
    if not served.is_artificial:
        return ""
    why = (
        ""
        if served.is_chosen
        else " No model was named, so this is the quickstart's; “About” says how to get another."
    )
    return f'<div class="notice" role="note"><p><strong>{ARTIFICIAL}</strong>{why}</p></div>'


def _model(served: Served) -> str:
    runs = {"torch": "PyTorch", "onnx": "ONNX Runtime", "onnx-int8": "ONNX Runtime, quantized"}[served.backend]
    calibration = served.calibration
    if calibration is None:
        known = "It is not calibrated."
    else:
        data = json.dumps(str(calibration.get("data", "unknown")), ensure_ascii=False)
        clips = calibration.get("clips", {})
        counts = f": {clips['real']:,} real and {clips['fake']:,} fake clips" if clips else ""
        known = f"It was calibrated on {data}{counts}."
    return f"## The model\n\n{served.name}, run by {runs}. {known}"
