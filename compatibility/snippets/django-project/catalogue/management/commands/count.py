from django.core.management.base import BaseCommand

from catalogue.models import Book


class Command(BaseCommand):
    help = "Count the books."

    def handle(self, *args, **options):
        self.stdout.write(f"{Book.objects.count()} books")
