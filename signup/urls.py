from django.urls import path

from signup import views

app_name = "signup"
urlpatterns = [
    path("bulletin/", views.bulletin, name="bulletin"),
    path("bulletin/<int:number>/", views.edition, name="edition"),
    path("bulletin/confirm/<str:token>/", views.confirm, name="confirm"),
    path("bulletin/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
