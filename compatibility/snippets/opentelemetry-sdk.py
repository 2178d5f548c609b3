"""context, propagators, samplers and detectors by entry points, in a namespace package; spans and metrics."""

from opentelemetry import baggage, context, metrics, propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource, get_aggregated_resources
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider(resource=Resource.create({"service.name": "demo"}))
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("demo")
with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner", attributes={"n": 1}):
    carrier = {}
    propagate.inject(carrier, context=baggage.set_baggage("k", "v"))
    print(sorted(carrier))
for span in exporter.get_finished_spans():
    print(span.name, dict(span.attributes), span.parent is not None, span.resource.attributes["service.name"])
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
metrics.get_meter("demo").create_counter("count").add(3)
print([m.name for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics])
print(type(propagate.get_global_textmap()).__name__, type(context._RUNTIME_CONTEXT).__name__)
print(sorted(get_aggregated_resources([]).attributes))
