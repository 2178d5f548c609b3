"""XPath, XSLT, schemas, Schematron with its style sheets, HTML, C headers."""
# /// script
# dependencies = ["lxml"]
# [tool.compatibility]
# subset = true
# ///

import os

import lxml
import lxml.html
from lxml import etree, isoschematron, objectify

tree = etree.fromstring("<shop><item n='1'>a</item><item n='2'>b</item></shop>")
print(tree.xpath("//item[@n > 1]/text()"), etree.tostring(tree, pretty_print=True).decode())
sheet = etree.XSLT(
    etree.fromstring(
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:template match="/"><n><xsl:value-of select="count(//item)"/></n></xsl:template></xsl:stylesheet>'
    )
)
print(str(sheet(tree)))
schema = isoschematron.Schematron(
    etree.fromstring(
        '<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern id="p"><rule context="shop">'
        '<assert test="count(item) &gt; 2">too few</assert></rule></pattern></schema>'
    ),
    store_report=True,
)
print(schema.validate(tree), schema.validation_report.xpath("string(//*[local-name() = 'text'])"))
relaxng = etree.RelaxNG(
    etree.fromstring(
        '<element name="shop" xmlns="http://relaxng.org/ns/structure/1.0"><oneOrMore><element name="item">'
        '<attribute name="n"/><text/></element></oneOrMore></element>'
    )
)
print(relaxng.validate(tree), objectify.fromstring("<a><b>3</b></a>").b + 1)
print(lxml.html.fromstring("<p>a<br>b<a href='/x'>c").make_links_absolute("https://example.org/") or "links made")
print([os.path.isfile(os.path.join(path, "etreepublic.pxd")) for path in lxml.get_include()].count(True))
