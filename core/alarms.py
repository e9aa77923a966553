"""The conditions that somebody must look after, as the metrics say them at one moment, without their history."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from core.metric_samples import MetricSamples

Severity: TypeAlias = Literal["critical", "warning"]
"""`critical`: callers, or citizens who wait for an SMS, are not served. `warning`: it gets worse where nobody acts."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A condition: a gauge with these labels is above the limit, or else below it. `by` is the label that says what has it."""

    name: str
    metric: str
    limit: float
    severity: Severity
    is_above: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True, slots=True)
class ActiveAlarm:
    """A condition that is met: of what (a provider, a department, or empty), and the value."""

    alarm: Alarm
    subject: str
    value: float


ALARMS: Final[Sequence[Alarm]] = (
    Alarm("sms_held", "ekdial_sms_held", 0, "critical", by="provider"),
    Alarm("sms_late", "ekdial_messages_oldest_due_seconds", 300, "critical"),
    Alarm("sms_unknown", "ekdial_messages", 0, "warning", labels={"stage": "unknown"}),
    Alarm("department_silent", "ekdial_department_answers", 1, "warning", is_above=False, by="department"),
    Alarm("deliveries_late", "ekdial_deliveries_oldest_seconds", 3600, "warning", by="department"),
    Alarm("loop_late", "ekdial_event_loop_delay_seconds", 0.5, "critical"),
)


def find_active_alarms(samples: MetricSamples, alarms: Sequence[Alarm] = ALARMS) -> Sequence[ActiveAlarm]:
    """The conditions that are met, the critical ones first; of each thing that has one, its worst value."""
    found = [active for alarm in alarms for active in _find_of_alarm(samples, alarm)]
    return sorted(found, key=lambda active: active.alarm.severity != "critical")


def _find_of_alarm(samples: MetricSamples, alarm: Alarm) -> Iterator[ActiveAlarm]:
    worst: dict[str, float] = {}
    pick = max if alarm.is_above else min
    for sample in samples.find(alarm.metric, **alarm.labels):
        subject = sample.labels.get(alarm.by, "")
        worst[subject] = pick(sample.value, worst.get(subject, sample.value))
    for subject, value in worst.items():
        if value > alarm.limit if alarm.is_above else value < alarm.limit:
            yield ActiveAlarm(alarm, subject, value)
