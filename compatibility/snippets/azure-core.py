"""a namespace package of several distributions; a pipeline with policies over a transport of its own."""
# /// script
# dependencies = ["azure-core", "azure-storage-blob"]
# ///

import azure
from azure.core import PipelineClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy, RetryPolicy
from azure.core.rest import HttpRequest
from azure.storage.blob import BlobServiceClient


class Transport:
    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        pass

    def send(self, request, **options):
        print(request.method, request.url, request.headers.get("x-key"), request.content)
        raise HttpResponseError("no network here")


print(type(azure.__path__).__name__, azure.__spec__.origin)
client = PipelineClient(
    "https://example.org",
    transport=Transport(),
    policies=[AzureKeyCredentialPolicy(AzureKeyCredential("k"), "x-key"), RetryPolicy.no_retries()],
)
try:
    client.send_request(HttpRequest("PUT", "/path", json={"a": 1}))
except HttpResponseError as error:
    print(error)
service = BlobServiceClient("https://account.blob.core.windows.net", credential="a2V5")
print(service.get_blob_client("box", "a b").url, service.account_name)
