"""the service models, endpoints, paginators and waiters, which are data files; a stubbed client."""

import botocore.session
from botocore.stub import Stubber

session = botocore.session.Session()
session.set_credentials("key", "secret")
print(len(session.get_available_services()) > 300, session.get_available_regions("s3")[:2])
client = session.create_client("s3", region_name="eu-central-1")
with Stubber(client) as stub:
    stub.add_response("list_buckets", {"Buckets": [{"Name": "b"}]})
    print(client.list_buckets()["Buckets"])
    stub.add_client_error("get_object", "NoSuchKey")
    try:
        client.get_object(Bucket="b", Key="k")
    except client.exceptions.NoSuchKey as error:
        print(error)
print(client.meta.endpoint_url, client.can_paginate("list_objects_v2"), client.waiter_names)
print(client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}).split("?")[0])
print(session.create_client("ec2", region_name="us-gov-west-1").meta.endpoint_url)
print(botocore.session.get_session().get_component("data_loader").load_data("endpoints")["partitions"][0]["partition"])
try:
    client.put_object(Bucket="b")
except botocore.exceptions.ParamValidationError as error:
    print(error)
print(botocore.httpsession.get_cert_path(verify=True).endswith("cacert.pem"))
