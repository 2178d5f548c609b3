from django.shortcuts import render

from .models import Book


def books(request):
    return render(request, "catalogue/books.html", {"books": Book.objects.order_by("title")})
