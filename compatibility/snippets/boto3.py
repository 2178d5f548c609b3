"""resources made from data files, their documentation, a stubbed table."""

import inspect

import boto3
from boto3.dynamodb.conditions import Key
from botocore.stub import ANY, Stubber

session = boto3.Session("key", "secret", region_name="eu-west-1")
print(session.get_available_resources())
table = session.resource("dynamodb").Table("things")
with Stubber(table.meta.client) as stub:
    stub.add_response(
        "query", {"Items": [{"n": {"N": "5"}}], "Count": 1}, {"TableName": "things", "KeyConditionExpression": ANY}
    )
    print(table.query(KeyConditionExpression=Key("id").eq("x"))["Items"])
bucket = session.resource("s3").Bucket("b")
print(bucket.name, sorted(name for name in dir(bucket) if name.startswith("object")))
print("Removes an object" in inspect.getdoc(bucket.Object("k").delete), bucket.meta.resource_model.shape)
print(session.client("sts").meta.endpoint_url)
